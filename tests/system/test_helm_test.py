"""What `helm test` runs for the API's chart, against the real server."""

import os
import re
import subprocess
import sys
from collections.abc import Callable

import httpx

from harness.servers import Server
from harness.waiting import PATIENCE_SECONDS
from tests.charts.conftest import one, render
from tests.system.conftest import Store


def run(url: str) -> subprocess.CompletedProcess[str]:
    """The container's command on this machine, with the server in place of the Service."""
    (container,) = one(render("api"), "Pod")["spec"]["containers"]
    variables = {it["name"]: it["value"] for it in container["env"]} | {"API": url}
    command = [sys.executable, *container["command"][1:], *container["args"]]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)


def test_it_passes_with_a_model_and_leaves_no_decision_behind(store: Store, serve: Callable[..., Server]) -> None:
    server = serve(store)
    server.wait_ready()
    done = run(server.url)
    assert done.returncode == 0, done.stderr
    assert "models:/credit-default-model" in done.stdout
    metrics = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    counted = re.findall(r"^(credit_journal_records_total|credit_decisions_total)\S* (\S+)$", metrics, re.MULTILINE)
    assert ("credit_journal_records_total", "0.0") in counted
    assert {float(value) for _, value in counted} == {0.0}


def test_it_fails_without_a_model(store: Store, serve: Callable[..., Server]) -> None:
    server = serve(store, MODEL_URI="models:/nobody@production")
    done = run(server.url)
    assert done.returncode != 0
    assert "serves no model" in done.stderr
