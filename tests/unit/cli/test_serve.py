"""`credit serve`, as a process of its own."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from app.settings import ROOT
from harness.servers import Server, environment_of, log_lines, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.support.fakes import cached_model, constant_document, json_file, settings_for

DEAD = "http://127.0.0.1:9"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROGRAM, "serve", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def test_a_bad_setting_ends_it_with_its_name_and_what_is_allowed() -> None:
    ended = run(DECISION__THRESHOLD="2")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: setting decision.threshold")
    assert "Traceback" not in ended.stderr


def test_a_bad_policy_ends_it_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("threshold: 2")
    ended = run(DECISION__POLICY_FILE=str(tmp_path / "policy.yaml"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: policy policy.yaml: threshold is 2")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("port", ["seven", "65536"])
def test_a_bad_port_ends_it_with_what_is_allowed(port: str) -> None:
    ended = run("--port", port)
    assert ended.returncode == 2
    assert port in ended.stderr


def refuses_connections(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_sigterm_finishes_the_request_under_way_and_exits_0(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3))
    body = json.dumps(json_file("request.json")).encode()
    head = (
        f"POST /predict HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with running_server(environment_of(settings), tmp_path / "log") as server:
        server.wait_ready()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            # A request whose body is awaited is under way for as long as the test wants.
            connection.sendall(head.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses_connections(server), bool)
            connection.sendall(body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b'"decision":"REJECT"' in answer
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
        assert log_lines(server.log)[-1]["message"] == f"Finished server process [{server.process.pid}]"


def test_sigterm_with_nothing_under_way_exits_0(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    with running_server(environment_of(settings), tmp_path / "log") as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0


def test_sigterm_kills_the_pull_that_is_under_way(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with running_server(environment_of(settings), tmp_path / "log") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")

        def pulls() -> list[str]:
            found = children.read_text().split()
            return [pid for pid in found if b"app.registry" in Path(f"/proc/{pid}/cmdline").read_bytes()]

        child = wait_until(pulls, bool)[0]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
        assert not Path(f"/proc/{child}").exists()
