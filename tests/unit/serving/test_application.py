import json
import subprocess
import sys
from pathlib import Path

import httpx

from app.settings import ROOT
from harness.servers import environment_of, log_lines, running_server
from harness.waiting import PATIENCE_SECONDS
from tests.support.fakes import cached_model, constant_document, json_file, settings_for

HEAVY = ("mlflow", "sklearn", "pandas", "scipy", "numpy", "skops", "matplotlib", "boto3", "sqlalchemy", "alembic")
DEAD = "http://127.0.0.1:9"

LIST_MODULES = """
import json, sys
import app.serving.run, app.serving.application
from app.models.load import load_entry
from app.settings import ServingSettings
from pathlib import Path

import httpx
load_entry(Path(sys.argv[1]), ServingSettings())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_serving_process_holds_neither_the_registry_nor_the_trainings_libraries(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    entry = cached_model(settings, constant_document(0.3))
    listed = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, str(entry)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    modules = set(json.loads(listed.stdout.splitlines()[-1]))
    assert {"app", "fastapi", "uvicorn"} <= modules
    assert modules.isdisjoint(HEAVY)


def test_starts_from_the_cache_while_the_registry_is_dead(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3, "7"))
    with running_server(environment_of(settings), tmp_path / "log") as server:
        server.wait_ready()
        answer = httpx.post(f"{server.url}/predict", json=json_file("request.json"), timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["model_version"]) == (200, "7")
        assert {"level", "logger", "message", "request_id", "time"} <= log_lines(server.log)[0].keys()


def test_lives_without_a_model_and_without_a_registry(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    with running_server(environment_of(settings), tmp_path / "log") as server:
        assert httpx.get(f"{server.url}/livez", timeout=PATIENCE_SECONDS).status_code == 200
        answer = httpx.post(f"{server.url}/predict", json=json_file("request.json"), timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
