"""Every decision that was answered is in the database, once, whatever happened in between."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from time import monotonic

import httpx
import pytest

from tests.e2e.api import LOCAL, TIMEOUT_SECONDS, decide
from tests.e2e.cluster import API_PODS, CREDIT, Cluster, kubectl, released_values, upgrade
from tests.e2e.load import Load
from tests.e2e.record import Arrived, arrived, psql
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

UnderLoad = Callable[[], AbstractContextManager[Load]]
Note = Callable[[str], None]

KILLS = 3
AWAY_SECONDS = 120.0


@pytest.fixture(scope="module", autouse=True)
def _no_fewer_pods(cluster: Cluster) -> Iterator[None]:
    """A pod that the autoscaler takes away while the database is away takes with it what it could not ship."""
    values = released_values("api")
    upgrade("api", values, {"autoscaling.maxReplicas": 2})
    wait_until(
        lambda: len(cluster.core.list_namespaced_pod(CREDIT, label_selector=API_PODS).items),
        lambda count: count == 2,
        240,
        "two API pods and no other",
    )
    yield
    upgrade("api", values)


@pytest.fixture(autouse=True)
def _two_pods(cluster: Cluster) -> None:
    """What went before may have left them coming or going."""
    cluster.wait_settled()
    wait_until(lambda: cluster.ready_pods(API_PODS), lambda names: len(names) >= 2, 240, "two API pods")


def kill_server(cluster: Cluster, name: str) -> None:
    """SIGKILL to the process that answers, from the node: within its container nothing can send it."""
    pod = cluster.core.read_namespaced_pod(name, CREDIT)
    container = pod.status.container_statuses[0].container_id.removeprefix("containerd://")
    inspect = f"crictl inspect --output go-template --template '{{{{.info.pid}}}}' {container}"
    command = ["docker", "exec", pod.spec.node_name, "sh", "-c", f"kill -9 $({inspect})"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def kill_and_wait(cluster: Cluster, name: str) -> None:
    """Until the container has started again and is ready."""
    before = cluster.restarts(API_PODS)[name]
    kill_server(cluster, name)
    wait_until(lambda: cluster.restarts(API_PODS)[name], lambda it: it > before, 120, f"{name} to start again")
    wait_until(lambda: cluster.ready_pods(API_PODS), lambda names: name in names, 180, f"{name} to be ready")


def assert_complete(found: Arrived, note: Note) -> None:
    note(str(found))
    assert found.answered > 0
    assert (found.lost, found.doubled) == (0, 0)


def test_killed_servers_lose_no_decision(cluster: Cluster, under_load: UnderLoad, note: Note) -> None:
    with under_load() as load:
        for kill in range(KILLS):
            kill_and_wait(cluster, sorted(cluster.ready_pods(API_PODS))[kill % 2])
    assert_complete(arrived(cluster, load.decisions), note)


def test_without_the_database_decisions_go_on_and_arrive_later(
    cluster: Cluster, under_load: UnderLoad, note: Note
) -> None:
    with under_load() as load:
        kubectl("--namespace", CREDIT, "scale", "statefulset/postgres", "--replicas=0")
        gone = monotonic()
        wait_until(lambda: monotonic() - gone, lambda away: away >= AWAY_SECONDS, AWAY_SECONDS + 10, "the outage")
        kubectl("--namespace", CREDIT, "scale", "statefulset/postgres", "--replicas=1")
    assert load.failed == []
    assert_complete(arrived(cluster, load.decisions), note)


def test_a_rolling_upgrade_loses_no_decision(cluster: Cluster, under_load: UnderLoad, note: Note) -> None:
    values = released_values("api")
    with under_load() as load:
        upgrade("api", values, {"terminationGracePeriodSeconds": 75})
        upgrade("api", values)
    assert load.failed == []
    assert_complete(arrived(cluster, load.decisions), note)


def test_a_drained_node_loses_no_decision(cluster: Cluster, under_load: UnderLoad, note: Note) -> None:
    database = cluster.pods("app.kubernetes.io/name=postgres")[0].spec.node_name
    nodes = sorted({pod.spec.node_name for pod in cluster.pods(API_PODS)}, key=lambda node: node == database)
    try:
        with under_load() as load:
            kubectl("drain", nodes[0], "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=5m")
    finally:
        kubectl("uncordon", nodes[0])
    assert load.failed == []
    assert_complete(arrived(cluster, load.decisions), note)


@pytest.fixture(scope="module", autouse=True)
def began() -> str:
    """When these tests did; models of tests before them are not in the registry any more."""
    return datetime.now(UTC).isoformat()


def test_the_chain_of_every_writer_verifies_and_every_decision_replays(
    cluster: Cluster, began: str, note: Note
) -> None:
    pod = cluster.ready_pods(API_PODS)[0]
    inside = ["--namespace", CREDIT, "exec", pod, "--", "credit", "audit"]
    verified = kubectl(*inside, "verify").stdout.splitlines()[-1]
    replayed = kubectl(*inside, "replay", "--since", began).stdout.splitlines()[-1]
    note(f"{verified}; {replayed}")


def test_a_decision_can_be_read_by_its_id(cluster: Cluster) -> None:
    decided = decide()
    url = f"{LOCAL}/decisions/{decided['decision_id']}"
    found = wait_until(
        lambda: httpx.get(url, timeout=TIMEOUT_SECONDS), lambda it: it.status_code == 200, 60, "the decision to arrive"
    ).json()
    assert found["probability"] == decided["probability"]


def test_nothing_but_decisions_is_lost_to_the_default_partition() -> None:
    assert psql("select count(*) from decisions_default") == ["0"]
