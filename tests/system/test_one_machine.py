"""From applicants' data to a served decision on one machine, with the real processes."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from app.contract.computed import ComputedFactors
from app.registry import ALIAS
from app.settings import ROOT, MlflowSettings, Settings
from harness.fields import CONTRACT, FEATURES, TARGET
from harness.sample import synthetic_frame
from harness.servers import Server
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.support.tools import tool
from tests.system.conftest import Store

Trained = tuple[Store, subprocess.CompletedProcess[str]]
Serve = Callable[..., Server]

NEVER_IN_SERVING = {"mlflow", "sklearn", "skops", "numpy", "scipy", "pandas", "pyarrow", "matplotlib"}
NEVER_IN_SERVING |= {"sqlalchemy", "alembic", "psycopg2"}


def sample_rows(count: int) -> list[list[float | None]]:
    """Wire vectors of the first rows of the sample, the row number first."""
    frame = synthetic_frame(7).head(count)
    features = frame[list(FEATURES)].astype(float)
    vectors = np.column_stack([np.arange(1, count + 1), features.to_numpy()])
    return [[None if value != value else value for value in row] for row in vectors.tolist()]


def expected_probabilities(store: Store, rows: list[list[float | None]]) -> list[float]:
    """What MLflow's own scikit-learn flavor says of the model in production."""
    import mlflow

    mlflow.set_tracking_uri(store.environment["MLFLOW_TRACKING_URI"])
    # Of an earlier test's registry, perhaps: this one does not follow the other.
    mlflow.set_registry_uri(store.environment["MLFLOW_TRACKING_URI"])
    model = mlflow.sklearn.load_model(f"models:/credit-default-model@{ALIAS}")
    inputs = ComputedFactors(CONTRACT).matrix(np.array([CONTRACT.vector(row[1:]) for row in rows]))
    found: list[float] = model.predict_proba(inputs)[:, 1].tolist()
    return found


def post(server: Server, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, timeout=30)


def test_training_on_the_sample_passes_the_gate(trained: Trained) -> None:
    _, ended = trained
    assert ended.returncode == 0, ended.stderr
    assert "credit-default-model version 1: now production" in ended.stdout
    # That nothing was in production before is no error, and does not read like one.
    assert "cannot" not in ended.stderr
    assert "not found" not in ended.stderr


def test_single_and_batch_decisions_are_the_registered_models_to_the_last_bit(store: Store, serve: Serve) -> None:
    rows = sample_rows(300)
    expected = expected_probabilities(store, rows)
    server = serve(store)
    server.wait_ready()
    single = [post(server, "/predict", {"data": {"features": row}}).json() for row in rows]
    batch = post(server, "/predict/batch", {"data": {"rows": rows}}).json()["predictions"]
    assert [answer["probability"] for answer in single] == expected
    assert [answer["probability"] for answer in batch] == expected
    decisions = ["REJECT" if p >= 0.05 else "ACCEPT" for p in expected]
    assert [answer["decision"] for answer in single] == decisions
    assert [answer["decision"] for answer in batch] == decisions
    assert {"ACCEPT", "REJECT"} == set(decisions)


def test_files_are_scored_as_the_server_answers_to_the_last_bit(store: Store, serve: Serve, tmp_path: Path) -> None:
    synthetic_frame(7).head(300).to_csv(tmp_path / "rows.csv", index=False, na_rep="NA")
    command = [PROGRAM, "batch", "--input", str(tmp_path / "rows.csv"), "--reasons"]
    command += ["--output", str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=ROOT, env=store.environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    made = pd.read_parquet(tmp_path / "out" / "rows.csv.decisions.parquet")
    server = serve(store)
    server.wait_ready()
    batch = post(server, "/predict/batch", {"data": {"rows": sample_rows(300)}}).json()["predictions"]
    assert made["probability"].tolist() == [answer["probability"] for answer in batch]
    assert made["decision"].tolist() == [answer["decision"] for answer in batch]
    codes = [[reason["code"] for reason in answer["reasons"]] for answer in batch]
    assert [list(row) for row in made["reasons"]] == codes


def test_mlflows_own_client_gets_what_predict_proba_gives(store: Store, serve: Serve) -> None:
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    server = serve(store)
    server.wait_ready()
    rows = sample_rows(50)
    frame = pd.DataFrame([row[1:] for row in rows], columns=list(FEATURES), dtype=float)
    port = int(server.url.rpartition(":")[2])
    client: Any = ScoringServerClient
    found = client("127.0.0.1", port).invoke(frame).get_predictions().to_numpy()
    expected = expected_probabilities(store, rows)
    assert found[:, 1].tolist() == expected
    assert found[:, 0].tolist() == [1.0 - probability for probability in expected]


def test_every_decision_is_counted_once(store: Store, serve: Serve) -> None:
    server = serve(store)
    server.wait_ready()
    rows = sample_rows(20)
    answers = [post(server, "/predict", {"data": {"features": row}}).json() for row in rows]
    rejected = sum(answer["decision"] == "REJECT" for answer in answers)
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    counted = {m[1]: float(m[2]) for m in re.finditer(r'credit_decisions_total\{decision="(\w+)".*\} (\S+)', text)}
    assert counted == {"REJECT": rejected, "ACCEPT": len(rows) - rejected, "REVIEW": 0}
    assert re.search(r'http_requests_total\{handler="/predict",method="POST",status="200"\} 20.0', text)


def test_the_serving_process_never_imports_what_it_does_not_need(store: Store, serve: Serve) -> None:
    server = serve(store, PYTHONPROFILEIMPORTTIME="1")
    server.wait_ready()
    for row in sample_rows(5):
        assert post(server, "/predict", {"data": {"features": row}}).is_success
    assert httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).is_success
    assert httpx.get(f"{server.url}/openapi.json", timeout=PATIENCE_SECONDS).is_success
    server.process.terminate()
    assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
    imported = {
        line.rpartition("|")[2].strip().split(".")[0]
        for line in server.log.read_text().splitlines()
        if line.startswith("import time:")
    }
    assert "fastapi" in imported
    assert imported & NEVER_IN_SERVING == set()


def test_a_restart_without_a_registry_serves_from_the_cache(store: Store, serve: Serve) -> None:
    first = serve(store)
    first.wait_ready()
    before = post(first, "/predict", {"data": {"features": sample_rows(1)[0]}}).json()
    first.process.terminate()
    assert first.process.wait(timeout=PATIENCE_SECONDS) == 0
    (store.folder / "mlflow.db").unlink()
    second = serve(store, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    second.wait_ready()
    after = post(second, "/predict", {"data": {"features": sample_rows(1)[0]}}).json()
    assert after | {"decision_id": before["decision_id"]} == before
    assert after["decision_id"] > before["decision_id"]


def test_without_registry_and_cache_it_lives_and_serves_as_soon_as_there_is_a_model(
    store: Store, serve: Serve, tmp_path: Path
) -> None:
    empty = Store(tmp_path / "empty")
    empty.folder.mkdir()
    server = serve(empty)
    assert httpx.get(f"{server.url}/livez", timeout=PATIENCE_SECONDS).is_success
    refused = post(server, "/predict", {"data": {"features": sample_rows(1)[0]}})
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert httpx.get(f"{server.url}/readyz", timeout=PATIENCE_SECONDS).status_code == 503
    assert httpx.get(f"{server.url}/health", timeout=PATIENCE_SECONDS).status_code == 503
    wait_until(
        lambda: httpx.get(f"{server.url}/meta", timeout=PATIENCE_SECONDS).json()["last_reload"],
        lambda reload: reload is not None and reload["outcome"] == "unavailable",
    )
    store.copy(empty.folder)
    server.wait_ready()
    assert httpx.get(f"{server.url}/health", timeout=PATIENCE_SECONDS).json() == {
        "status": "ok",
        "model_uri": "models:/credit-default-model@production",
        "model_version": "1",
    }


def test_what_a_threshold_earns_is_kept_as_a_picture_of_the_versions_run(store: Store) -> None:
    asked = [PROGRAM, "policy", "threshold", "--margin", "0.1", "--json"]
    done = subprocess.run(asked, cwd=ROOT, env=store.environment, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["best"]["profit"] >= told["own"]["profit"]
    run_id, _, path = told["picture"].removeprefix("runs:/").partition("/")
    client = MlflowClient(store.environment["MLFLOW_TRACKING_URI"])
    assert path in {file.path for file in client.list_artifacts(run_id, "pictures")}


def test_a_simulated_year_is_loaded_once_and_reported_by_month(store: Store, tmp_path: Path) -> None:
    environment = store.environment | {
        "DATABASE_URI": f"sqlite:///{tmp_path / 'year.db'}",
        "AUDIT__JOURNAL_DIR": str(tmp_path / "journal"),
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    file = str(tmp_path / "outcomes.csv")
    run(sys.executable, "-m", "scripts.simulate_year", "--a-month", "300", "--outcomes", file)
    loaded = json.loads(run(PROGRAM, "outcomes", "load", file, "--json"))
    assert loaded["new"] > 12 * 100
    assert json.loads(run(PROGRAM, "outcomes", "load", file, "--json")) == {
        "new": 0,
        "corrected": 0,
        "known": loaded["new"],
    }
    periods = json.loads(run(PROGRAM, "outcomes", "report", "--json"))["periods"]
    assert [it["month"] for it in periods] == [f"2025-{month:02d}" for month in range(1, 13)]
    assert sum(it["outcomes"] for it in periods) == loaded["new"]
    rates = [it["bad_rate"]["value"] for it in periods]
    assert sum(rates[6:]) > sum(rates[:6])
    assert run(PROGRAM, "audit", "verify").startswith("OK")
    tool("promtool")
    months = [line.split() for line in run(sys.executable, "-m", "scripts.alerts_of_year").splitlines()[1:]]
    assert [it[0] for it in months] == [f"2026-{month:02d}" for month in range(1, 13)]
    # So few applicants leave a month now and then within the interval.
    fired = [it[-2] == "FIRES" for it in months]
    assert not any(fired[:6])
    assert sum(fired[6:]) >= 3
    assert {it[-1] for it in months} == {"silent"}


def test_a_second_training_is_compared_with_production_on_the_same_rows(store: Store) -> None:
    ended = store.train()
    assert ended.returncode == 0, ended.stderr
    assert "version 2: now production" in ended.stdout
    assert re.search(r"version 1", ended.stdout)


def test_a_model_of_shuffled_outcomes_is_refused_and_production_stays(store: Store, tmp_path: Path) -> None:
    frame = synthetic_frame(7)
    frame[TARGET] = np.random.default_rng(3).permutation(frame[TARGET].to_numpy())
    path = tmp_path / "shuffled.csv"
    frame.to_csv(path, index=False)
    ended = store.train(str(path))
    assert ended.returncode == 1, ended.stderr
    assert "ROC AUC" in ended.stdout
    assert "kept out of production" in ended.stdout
    settings = Settings(mlflow=MlflowSettings(tracking_uri=store.environment["MLFLOW_TRACKING_URI"]))
    from app.registry.client import connect

    version: Any = connect(settings).get_model_version_by_alias("credit-default-model", ALIAS).version
    assert str(version) == "1"


def test_data_with_a_missing_column_end_with_one_line_and_exit_code_2(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "narrow.csv"
    pd.DataFrame({"age": [30], TARGET: [0]}).to_csv(path, index=False)
    ended = store.train(str(path))
    assert ended.returncode == 2
    assert "MonthlyIncome" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [["train"], ["serve"], ["registry", "pull", "models:/m/1"]])
def test_a_bad_setting_is_refused_in_one_line(store: Store, command: list[str]) -> None:
    environment = store.environment | {"DECISION__THRESHOLD": "7"}
    ended = subprocess.run([PROGRAM, *command], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "decision.threshold" in ended.stderr
    assert "Traceback" not in ended.stderr
