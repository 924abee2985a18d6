"""What the API's image holds is enough for models with a document, their record and its jobs; others name the extra."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.settings import ROOT
from harness.installations import without_extras
from harness.registries import NAME, Registry, constant_classifier, log_unjudged, pass_gate, running_registry
from harness.servers import Server, audit_in, environment_of, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.fakes import json_file

ALIAS = f"models:/{NAME}@production"
NEEDED = (
    "mlflow is not installed: pip install '.[models]' brings it, and the images credit-default-training and"
    " credit-default-api-models have it"
)
REQUEST = json_file("request.json")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return without_extras(tmp_path_factory.mktemp("installed") / "here")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """With one version in production, which has a document."""
    with running_registry(tmp_path_factory.mktemp("registry")) as registry:
        registry.let("production", registry.add(40))
        yield registry


@pytest.fixture(scope="module")
def environment(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("server")
    serving = registry.settings.serving.model_copy(update={"cache_dir": folder / "cache", "poll_seconds": 0.2})
    settings = registry.settings.model_copy(update={"serving": serving, "audit": audit_in(folder)})
    return environment_of(settings) | {"MODEL_URI": ALIAS}


@pytest.fixture(scope="module")
def server(program: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(environment, tmp_path_factory.mktemp("log") / "server.log", program) as server:
        server.wait_ready()
        yield server


def run(program: Path, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "package", ["mlflow", "pandas", "sklearn", "scipy", "skops", "joblib", "matplotlib", "pyarrow"]
)
def test_no_package_of_an_extra_is_there(program: Path, package: str) -> None:
    command = [str(program.with_name("python")), "-c", f"import {package}"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("path", ["/predict", "/explain", "/predict/batch", "/invocations"])
def test_a_model_with_a_document_is_served_by_every_door(server: Server, path: str) -> None:
    row = REQUEST["data"]["features"]
    bodies = {"/predict/batch": {"data": {"rows": [row, row]}}, "/invocations": {"instances": [row, row]}}
    answer = httpx.post(f"{server.url}{path}", json=bodies.get(path, REQUEST), timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    assert "0.2" in answer.text


def test_its_decisions_are_recorded_and_the_records_jobs_run(
    server: Server, program: Path, environment: dict[str, str]
) -> None:
    made = httpx.post(f"{server.url}/predict", json=REQUEST, timeout=PATIENCE_SECONDS).json()["decision_id"]
    shown = wait_until(
        lambda: run(program, environment, "audit", "show", made), lambda it: it.returncode == 0, what="the decision"
    )
    assert "0.2" in shown.stdout
    for job in ("verify", "heads", "retain", "replay"):
        done = run(program, environment, "audit", job)
        assert done.returncode == 0, done.stderr
    assert "0 differ" in done.stdout


def test_a_command_that_needs_an_extra_names_it(program: Path, environment: dict[str, str]) -> None:
    done = run(program, environment, "registry", "list")
    assert (done.returncode, done.stderr) == (2, f"error: {NEEDED}\n")


def test_a_version_without_a_document_is_not_served_and_what_it_needs_is_said(
    server: Server, registry: Registry
) -> None:
    version = log_unjudged(registry.settings, constant_classifier(4))
    pass_gate(registry.settings, version)
    registry.let("production", version)
    lines = wait_until(
        lambda: [line for line in server.log.read_text().splitlines() if NEEDED in line], bool, what="the reason"
    )
    assert "Traceback" not in server.log.read_text()
    assert json.loads(lines[0])["level"] in ("WARNING", "ERROR")
    answer = httpx.post(f"{server.url}/predict", json=REQUEST, timeout=PATIENCE_SECONDS).json()
    assert (answer["model_version"], answer["probability"]) == ("1", 0.2)
    registry.let("production", "1")
