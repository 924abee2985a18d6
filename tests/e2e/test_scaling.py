"""The number of API pods follows the load."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.settings import ROOT
from harness.waiting import PATIENCE_SECONDS
from tests.e2e.cluster import API_PODS, CREDIT, Cluster, released_values, upgrade
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

QUICK = {"autoscaling.scaleDownStabilizationSeconds": 15, "autoscaling.maxReplicas": 3}
"""So that the test waits less than a minute for the way down, and the machine holds all pods."""


@pytest.fixture
def _quick_autoscaler(cluster: Cluster) -> Iterator[None]:
    values = released_values("api")
    upgrade("api", values, QUICK)
    yield
    upgrade("api", values)


@contextmanager
def locust() -> Iterator[Callable[[], str]]:
    """The load of `make load` on localhost while the block runs, or until the call that gives its summary."""
    command = [sys.executable, "-m", "locust", "--locustfile", "loadtests/locustfile.py", "--headless"]
    command += ["--users", "48", "--spawn-rate", "16", "--host", "http://127.0.0.1:8000", "--only-summary"]
    # A shell lets its background jobs ignore it, and what they start inherits that; what is handled here is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:

        def stop() -> str:
            process.send_signal(signal.SIGINT)
            summary, log = process.communicate(timeout=PATIENCE_SECONDS)
            assert "requests" in summary, log
            return summary

        try:
            yield stop
        finally:
            process.kill()


def autoscaler(cluster: Cluster) -> tuple[int, Any]:
    """Pods it has, and what it sees of their CPU."""
    status = cluster.autoscaling.read_namespaced_horizontal_pod_autoscaler("api", CREDIT).status
    return status.current_replicas, [it.resource.current.average_utilization for it in status.current_metrics or []]


@pytest.mark.usefixtures("_quick_autoscaler")
def test_load_brings_a_third_pod_and_its_end_takes_it_away(cluster: Cluster, note: Callable[[str], None]) -> None:
    wait_until(lambda: autoscaler(cluster), lambda it: it[0] == 2 and it[1] != [], 240, "two pods without load")
    with locust() as stop:
        wait_until(lambda: autoscaler(cluster), lambda it: it[0] == 3, 180, "a third pod under load")
        wait_until(lambda: cluster.ready_pods(API_PODS), lambda names: len(names) == 3, 120, "three ready pods")
        summary = stop()
    note("; ".join(line for line in summary.splitlines() if line.startswith(("requests", "p50", "errors"))))
    assert "errors              0 " in summary
    wait_until(lambda: autoscaler(cluster), lambda it: it[0] == 2, 240, "two pods after the load")
