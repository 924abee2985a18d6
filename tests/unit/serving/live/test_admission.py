"""Who may ask follows the callers' file, and a file with a mistake changes nothing but what is told."""

import asyncio
import json
import logging
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from app.callers.file import load_callers
from app.callers.new_key import entry_of
from app.metrics import Metrics
from app.serving.live.admission import Admission, CallersWatch
from app.settings import ROOT, CallersSettings, Settings
from harness.servers import environment_of, log_lines, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.support.fakes import cached_model, constant_document, json_file, mounted, settings_for

FIRST = entry_of("first", "cdk_first", ["predict"])
SECOND = entry_of("second", "cdk_second", ["predict"])
REQUEST = json_file("request.json")


class World:
    """Those who may ask, and a watch over their file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "callers.yaml"
        self.file.write_text(FIRST)
        self.metrics = Metrics(0.05)
        callers = load_callers(Settings(callers=CallersSettings(file=self.file)))
        self.admission = Admission(callers, self.metrics, str(self.file))
        self.watch = CallersWatch(self.file, self.admission, 5)
        self.look()

    def look(self) -> None:
        asyncio.run(self.watch.step())

    def names(self) -> list[str]:
        assert self.admission.callers is not None
        return [it.name for it in self.admission.callers.known]

    def counted(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("credit_callers_reloads_total", {"outcome": outcome})


def test_a_changed_file_lets_others_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(tmp_path)
    with caplog.at_level(logging.INFO):
        world.file.write_text(SECOND)
        world.look()
    assert world.names() == ["second"]
    (told,) = [vars(it) for it in caplog.records if it.name.startswith("app")]
    assert (told["message"], told["callers"]) == ("callers loaded", ["second"])


def test_a_file_that_is_the_same_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        world = World(tmp_path)
        world.look()
    assert [it for it in caplog.records if it.name.startswith("app")] == []
    assert world.counted("loaded") == 1


@pytest.mark.parametrize("content", ["- cdk_secret", "- cdk_secret: [", "", None])
def test_a_file_that_cannot_be_used_is_told_once_and_lets_those_before_in(
    tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    if content is None:
        world.file.unlink()
    else:
        world.file.write_text(content)
    with caplog.at_level(logging.INFO):
        world.look()
        world.look()
    assert world.names() == ["first"]
    assert world.counted("refused") == 2
    assert [(it.message, it.levelname) for it in caplog.records if it.name.startswith("app")] == [
        ("callers not loaded", "ERROR")
    ]
    assert "cdk_" not in str([vars(it) for it in caplog.records])


def test_the_file_as_it_was_makes_good_what_was_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    for content in ("- 1", FIRST):
        world.file.write_text(content)
        world.look()
    assert (world.names(), world.counted("loaded"), world.counted("refused")) == (["first"], 2, 1)


def test_a_running_server_takes_a_changed_secret_up_and_no_key_is_ever_logged(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri="http://127.0.0.1:9")
    cached_model(settings, constant_document(0.3))
    mounted(tmp_path / "callers", "callers.yaml", "first", FIRST)
    environment = environment_of(settings) | {"CALLERS__FILE": str(tmp_path / "callers" / "callers.yaml")}
    environment["SERVING__LOG_LEVEL"] = "DEBUG"
    with running_server(environment, tmp_path / "log") as server:
        server.wait_ready()

        def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return httpx.post(
                f"{server.url}/predict", json=REQUEST, headers=headers, timeout=PATIENCE_SECONDS
            ).status_code

        def refused() -> bool:
            return (
                'credit_callers_reloads_total{outcome="refused"} 0'
                not in httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
            )

        assert (status("cdk_first"), status("cdk_second"), status("cdk_nobody")) == (200, 401, 401)
        mounted(tmp_path / "callers", "callers.yaml", "second", SECOND)
        wait_until(lambda: status("cdk_second"), lambda seen: seen == 200)
        assert status("cdk_first") == 401
        mounted(tmp_path / "callers", "callers.yaml", "third", "- cdk_third")
        wait_until(refused, bool)
        assert status("cdk_second") == 200
        lines = log_lines(server.log)
    answered = [(line["status"], line["caller"]) for line in lines if line["message"] == "request" and line["status"]]
    assert {(200, "first"), (200, "second"), (401, None)} <= set(answered)
    assert "cdk_" not in json.dumps(lines)


def test_a_bad_file_at_start_ends_the_server_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "callers.yaml"
    file.write_text("- cdk_secret")
    ended = subprocess.run(
        [PROGRAM, "serve"],
        cwd=ROOT,
        env={**os.environ, "CALLERS__FILE": str(file)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: callers callers.yaml: entry 1 must have name, sha256 and scopes")
    assert "Traceback" not in ended.stderr
    assert "cdk_secret" not in ended.stderr
