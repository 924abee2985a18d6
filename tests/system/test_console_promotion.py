"""From a page into production: by a real console, its gate in a child process, on a trained registry."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from app.callers.known import digest_of
from app.registry.client import ALIAS, connect
from app.settings import ROOT, MlflowSettings, Settings
from harness.servers import free_port
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.system.conftest import Store

KEYS = {"a.roe": "cdk_roe", "j.doe": "cdk_doe", "reader": "cdk_reader"}
REASON = "quarterly retraining"


@dataclass(slots=True)
class Visit:
    """Somebody signed in."""

    url: str
    name: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS, follow_redirects=True)

    def __enter__(self) -> "Visit":
        told = self.client.post("/sign-in", data={"key": KEYS[self.name]})
        assert told.status_code == 200, told.text
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def promote(self, version: str, reason: str = REASON) -> httpx.Response:
        return self.client.post(f"/models/{version}/promote", data={"reason": reason})


@contextmanager
def console(store: Store, folder: Path, **variables: str) -> Iterator[str]:
    scopes = {"a.roe": "[read, approve]", "j.doe": "[read, approve]", "reader": "[read]"}
    callers = folder / "callers.yaml"
    callers.write_text(
        "".join(
            f"- {{name: {name}, sha256: {digest_of(key.encode()).hex()}, scopes: {scopes[name]}}}\n"
            for name, key in KEYS.items()
        )
    )
    port = free_port()
    command = [PROGRAM, "console", "--port", str(port)]
    environment = store.environment | {"CALLERS__FILE": str(callers), "DATA": ""} | variables
    with (folder / "console.log").open("w") as log:
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"

        def up() -> bool:
            assert running.poll() is None, (folder / "console.log").read_text()
            # Its own word: another server may have had the port a moment ago.
            return "Uvicorn running" in (folder / "console.log").read_text()

        try:
            wait_until(up, bool, PATIENCE_SECONDS, "the console")
            yield url
        finally:
            running.terminate()
            running.wait(PATIENCE_SECONDS)


@pytest.fixture
def visit(store: Store, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens a console for somebody, and for whoever comes later with the same variables; nothing is in production."""
    tracking_uri = store.environment["MLFLOW_TRACKING_URI"]
    settings = Settings(mlflow=MlflowSettings(tracking_uri=tracking_uri))
    connect(settings).delete_registered_model_alias(settings.mlflow.model_name, ALIAS)
    with ExitStack() as running:
        urls: dict[str, str] = {}

        def opened(name: str, **variables: str) -> Visit:
            key = str(variables)
            if key not in urls:
                urls[key] = running.enter_context(console(store, tmp_path, **variables))
            return running.enter_context(Visit(urls[key], name))

        yield opened


def test_an_approver_promotes_through_the_gate_and_the_record_says_so(visit: Callable[..., Visit]) -> None:
    reader = visit("reader")
    assert "Put it into production" not in reader.client.get("/models/1").text
    assert (reader.promote("1").status_code, reader.client.get("/models/1/promote").status_code) == (403, 403)
    approver = visit("a.roe")
    page = approver.client.get("/models/1")
    assert "Put it into production" in page.text
    assert "# credit-default-model" in page.text
    picture = approver.client.get("/models/1/pictures/roc.png")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert approver.client.get("/models/1/pictures/other.png").status_code == 404
    assert approver.client.get("/models/9").status_code == 404
    assert approver.promote("1", "").status_code == 422
    told = approver.promote("1")
    assert (told.status_code, "Version 1 is now production" in told.text) == (200, True), told.text
    after = approver.client.get("/models/1").text
    assert "Version 1, production" in after
    assert f"promotion by a.roe: {REASON}" in after
    assert "Put it into production" not in after


def test_two_people_have_to_agree_where_they_must(visit: Callable[..., Visit]) -> None:
    first = visit("a.roe", AUDIT__FOUR_EYES="true")
    asked = first.promote("1")
    assert "You asked for it" in asked.text
    assert "a second person" in asked.text.lower()
    assert first.promote("1").status_code == 409
    assert "Version 1, production" not in first.client.get("/models/1").text
    second = visit("j.doe", AUDIT__FOUR_EYES="true")
    form = second.client.get("/models/1/promote").text
    assert "a.roe asked for it at" in form
    assert REASON in form
    assert "Version 1 is now production" in second.promote("1", "").text
    done = second.client.get("/models/1").text
    assert f"promotion by a.roe, approved by j.doe: {REASON}" in done
    # What has been done is open no more.
    assert "asked for it at" not in second.client.get("/models/1/promote").text


def test_where_the_gate_cannot_judge_the_page_says_why(visit: Callable[..., Visit]) -> None:
    told = visit("a.roe", DATA="nowhere.csv").promote("1")
    assert (told.status_code, "nowhere.csv cannot be read" in told.text) == (503, True), told.text
    assert "Traceback" not in told.text
