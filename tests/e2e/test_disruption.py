"""Nobody is left without a decision while pods come and go."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.e2e.api import meta
from tests.e2e.cluster import API_PODS, CREDIT, Cluster, kubectl, released_values, upgrade
from tests.e2e.inside.traffic import CALLERS
from tests.e2e.load import Load
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

UnderLoad = Callable[[], AbstractContextManager[Load]]
Note = Callable[[str], None]


@pytest.fixture(autouse=True)
def _two_pods(cluster: Cluster) -> None:
    """What went before may have left more of them."""
    cluster.wait_settled()
    wait_for_pods(cluster)


def wait_for_pods(cluster: Cluster, without: str = "") -> list[str]:
    """Until there are at least two ready pods, none of them that one."""
    return wait_until(
        lambda: cluster.ready_pods(API_PODS),
        lambda names: len(names) >= 2 and without not in names,
        240,
        f"two API pods without {without or 'any other condition'}",
    )


def wait_until_gone(cluster: Cluster, names: Collection[str]) -> None:
    """Until the pods have answered their last request and are no more."""
    wait_until(
        lambda: {pod.metadata.name for pod in cluster.core.list_namespaced_pod(CREDIT).items}.intersection(names),
        lambda left: not left,
        120,
        f"{', '.join(names)} to be gone",
    )


@pytest.fixture
def values() -> Iterator[str]:
    """The API's values, to which it returns if a test leaves it with others."""
    found = released_values("api")
    yield found
    if released_values("api") != found:
        upgrade("api", found)


def test_a_rolling_upgrade_fails_no_request(cluster: Cluster, values: str, under_load: UnderLoad, note: Note) -> None:
    usual = meta().threshold
    with under_load() as load:
        for changes, expected in (({"config.decision.threshold": 0.06}, 0.06), ({}, usual)):
            before = cluster.ready_pods(API_PODS)
            upgrade("api", values, changes)
            wait_until_gone(cluster, before)
            assert meta().threshold == expected
    note(str(load))
    assert load.failed == []


def test_a_deleted_pod_fails_no_request(cluster: Cluster, under_load: UnderLoad, note: Note) -> None:
    victim = cluster.ready_pods(API_PODS)[0]
    with under_load() as load:
        cluster.delete_pod(victim)
        wait_for_pods(cluster, without=victim)
        wait_until_gone(cluster, [victim])
    note(str(load))
    assert load.failed == []


@pytest.fixture
def drained_node(cluster: Cluster) -> Iterator[str]:
    """A worker with an API pod, without the database if there is a choice; taken back into service afterwards."""
    database = cluster.pods("app.kubernetes.io/name=postgres")[0].spec.node_name
    nodes = sorted({pod.spec.node_name for pod in cluster.pods(API_PODS)}, key=lambda node: node == database)
    yield nodes[0]
    kubectl("uncordon", nodes[0])
    cluster.wait_settled()


def test_a_drained_node_fails_no_request(
    cluster: Cluster, drained_node: str, under_load: UnderLoad, note: Note
) -> None:
    with under_load() as load:
        kubectl("drain", drained_node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=5m")
        left = {pod.metadata.name for pod in cluster.pods(API_PODS) if pod.spec.node_name == drained_node}
        kubectl("uncordon", drained_node)
        wait_for_pods(cluster)
    note(str(load))
    assert left == set()
    assert load.failed == []


def test_a_killed_pod_costs_at_most_the_requests_it_was_answering(
    cluster: Cluster, under_load: UnderLoad, note: Note
) -> None:
    victim = cluster.ready_pods(API_PODS)[0]
    with under_load() as load:
        cluster.delete_pod(victim, grace_seconds=0)
        wait_for_pods(cluster, without=victim)
    note(str(load))
    assert len(load.failed) <= 2 * CALLERS
