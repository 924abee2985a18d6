"""Another lender's table, by configuration alone: from rows with categories to decisions that a replay gives again."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from app.contract.contract import Contract
from app.contract_file import read_contract
from app.settings import ROOT
from harness.servers import running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.system.conftest import Store

EXAMPLE = ROOT / "examples" / "german-credit"
ROWS = 600


def table(contract: Contract, seed: int) -> pd.DataFrame:
    """Made-up applicants under a contract, with the columns that the example keeps from the model."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    risk = np.zeros(ROWS)
    for each in contract.asked:
        if each.type == "category":
            codes = random.integers(0, len(each.values), ROWS)
            columns[each.name] = np.array(each.values)[codes]
            risk += random.normal(0, 0.6, len(each.values))[codes]
        else:
            columns[each.name] = random.integers(19, 75, ROWS) if each.name == contract.age else random.poisson(4, ROWS)
            risk += 0.15 * each.direction * (columns[each.name] - np.mean(columns[each.name]))
    bad = random.random(ROWS) < 1 / (1 + np.exp(1.0 - risk))
    kept_apart = {"personal_status_and_sex": random.choice(["a", "b"], ROWS), "foreign_worker": "yes"}
    outcome = {contract.outcome.name: np.where(bad, contract.outcome.bad, contract.outcome.good)}
    return pd.DataFrame({**columns, **kept_apart, **outcome})


def environment(folder: Path, data: Path) -> dict[str, str]:
    lines = (EXAMPLE / "settings.env").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    read = {name: "".join(shlex.split(value)) for name, value in named.items()}
    return Store(folder).environment | read | {"DATA": str(data), "PATH": os.environ["PATH"]}


def run(variables: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([PROGRAM, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_table_with_categories_is_trained_on_served_recorded_and_replayed(tmp_path: Path) -> None:
    contract = read_contract(EXAMPLE / "contract.yaml")
    data = tmp_path / "applicants.csv"
    table(contract, 1).to_csv(data, index=False)
    variables = environment(tmp_path, data)
    trained = run(variables, "train")
    assert "german-credit version 1: now production" in trained
    assert "personal_status_and_sex: a" in trained

    asked = table(contract, 2)[list(contract.asked_names)]
    with running_server(variables, tmp_path / "server.log") as server:
        server.wait_ready()
        meta = httpx.get(f"{server.url}/meta", timeout=PATIENCE_SECONDS).json()
        assert meta["contract_version"] == contract.version
        assert [it["name"] for it in meta["factors"]] == list(contract.factor_names)
        rows = asked.to_dict("records")
        single = [
            httpx.post(f"{server.url}/predict", json={"data": {"applicant": row}}, timeout=PATIENCE_SECONDS).json()
            for row in rows[:40]
        ]
        batch = httpx.post(
            f"{server.url}/predict/batch", json={"data": {"rows": asked.to_numpy().tolist()}}, timeout=60
        )
        made = batch.json()["predictions"]
        assert [it["probability"] for it in single] == [it["probability"] for it in made[:40]]
        assert {it["decision"] for it in made} == {"ACCEPT", "REJECT"}
        codes = {reason["code"] for it in made for reason in it["reasons"]}
        assert {"CHECKING_ACCOUNT", "PURPOSE"} & codes
        told = httpx.post(
            f"{server.url}/explain", json={"data": {"applicant": rows[0]}}, timeout=PATIENCE_SECONDS
        ).json()
        assert {name: told[name] for name in ("probability", "decision", "reasons")} == {
            name: single[0][name] for name in ("probability", "decision", "reasons")
        }
        by_name = {it["factor"]: it for it in told["factors"]}
        assert by_name["purpose"]["value"] == rows[0]["purpose"]
        assert by_name["purpose"]["reference"] in contract.fields[contract.names.index("purpose")].values
        key = single[0]["decision_id"]
        found = wait_until(
            lambda: httpx.get(f"{server.url}/decisions/{key}", timeout=PATIENCE_SECONDS),
            lambda it: it.status_code == 200,
            what="the record",
        )
        assert found.json()["features"] == rows[0]
    shown = json.loads(run(variables, "audit", "show", key, "--factors", "--json"))
    assert shown["factors"] == told["factors"]
    assert "effect in log-odds" in run(variables, "audit", "show", key, "--factors")
    run(variables, "batch", "--input", str(data), "--output", str(tmp_path / "out"), "--reasons")
    assert "OK" in run(variables, "audit", "verify")
    replayed = run(variables, "audit", "replay")
    assert replayed.startswith(f"OK: {40 + ROWS} decisions recomputed, 0 differ")
    run(variables, "audit", "export", "--output", str(tmp_path / "export.csv"))
    exported = pd.read_csv(tmp_path / "export.csv")
    assert len(exported) == 40 + ROWS
    assert exported["purpose"].isin(contract.fields[contract.names.index("purpose")].values).all()
