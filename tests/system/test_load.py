"""The load test against a real server: its verdict is its exit code."""

import subprocess
import sys
from collections.abc import Callable

from app.settings import ROOT
from harness.servers import Server
from tests.system.conftest import Store

GENEROUS_MS = "5000"
"""Not a measurement: the machine may be busy with anything."""


def load(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "locust",
        "--locustfile",
        "loadtests/locustfile.py",
        "--headless",
        "--only-summary",
    ]
    command += ["--host", url, "--users", "4", "--spawn-rate", "4", "--run-time", "4s", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_server_that_decides_meets_the_objective(store: Store, serve: Callable[..., Server]) -> None:
    server = serve(store)
    server.wait_ready()
    done = load(server.url, "--max-p95-ms", GENEROUS_MS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "errors              0 (0.000%)" in done.stdout
    assert "objective met" in done.stdout


def test_an_objective_that_is_missed_fails_the_run(store: Store, serve: Callable[..., Server]) -> None:
    server = serve(store)
    server.wait_ready()
    done = load(server.url, "--max-p95-ms", "0.001", "--shape", "ramp")
    assert done.returncode == 1
    assert "objective missed    the p95 of POST /predict is" in done.stdout
