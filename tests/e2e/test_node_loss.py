"""A node is cut off from power with Postgres and an API pod on it, and comes back: what was answered is kept, once."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from time import monotonic

import pytest

from tests.e2e.cluster import API_PODS, Cluster, kubectl, released_values, upgrade
from tests.e2e.load import Load
from tests.e2e.record import arrived
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

POSTGRES = "app.kubernetes.io/name=postgres,app.kubernetes.io/instance=postgres"
NOTICED_SECONDS = 180.0
"""Until Kubernetes takes a node that is silent for lost, which it does after forty seconds or so."""


@pytest.fixture(autouse=True)
def _two_pods(cluster: Cluster) -> Iterator[None]:
    values = released_values("api")
    upgrade("api", values, {"autoscaling.maxReplicas": 2})
    cluster.wait_settled()
    yield
    upgrade("api", values)


@pytest.fixture
def node(cluster: Cluster) -> Iterator[str]:
    """Where Postgres and one of two API pods are; running again at the end."""
    name = cluster.pods(POSTGRES)[0].spec.node_name
    wait_until(
        lambda: [it.spec.node_name for it in cluster.pods(API_PODS)].count(name), lambda it: it == 1, 120, "a pod"
    )
    yield name
    docker("start", name)
    wait_until(lambda: ready(cluster, name), bool, NOTICED_SECONDS, f"{name} to come back")
    cluster.wait_settled(600)


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True, timeout=120)


def ready(cluster: Cluster, node: str) -> bool:
    conditions = cluster.core.read_node(node).status.conditions
    return any(it.type == "Ready" and it.status == "True" for it in conditions)


def test_a_lost_node_costs_what_it_was_asked_and_nothing_that_it_answered(
    cluster: Cluster, node: str, under_load: Callable[[], AbstractContextManager[Load]], note: Callable[[str], None]
) -> None:
    with under_load() as load:
        gone = monotonic()
        docker("kill", node)
        wait_until(lambda: ready(cluster, node), lambda it: not it, NOTICED_SECONDS, "the loss to be noticed")
        noticed = monotonic() - gone
        wait_until(lambda: monotonic() - gone, lambda it: it > noticed + 30, noticed + 60, "a while without it")
        docker("start", node)
        wait_until(lambda: ready(cluster, node), bool, NOTICED_SECONDS, "the node to come back")
    note(f"noticed after {noticed:.0f} s; {load}")
    cluster.wait_settled(600)
    found = arrived(cluster, load.decisions)
    note(str(found))
    assert (found.lost, found.doubled) == (0, 0)
    kubectl("--namespace", "credit", "exec", "deploy/api", "--", "credit", "audit", "verify")
