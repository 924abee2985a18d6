"""Every part is reached by those that need it, and by nobody else."""

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import API_PODS, CREDIT, Cluster
from tests.e2e.pods import Inside, running_pod
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

ELSEWHERE = "credit-e2e"
BACKENDS = ["postgres.credit:5432", "minio.credit:9000", "mlflow.credit:5000"]
API = "api.credit:8000"
CLUSTER_API = "kubernetes.default:443"


@pytest.fixture(scope="module")
def foreigner(cluster: Cluster) -> Iterator[Inside]:
    """A pod of another namespace."""
    cluster.core.create_namespace({"metadata": {"name": ELSEWHERE}})
    try:
        with running_pod(cluster, "foreigner", ELSEWHERE) as pod:
            yield pod
    finally:
        cluster.core.delete_namespace(ELSEWHERE)


def assert_closed(pod: Inside, *targets: str) -> None:
    """No connection comes about, and the names are known, so that a policy is what prevents it.

    A new pod's policies come with a delay.
    """
    closed = {"no answer", "refused"}
    wait_until(
        lambda: pod.run("reach", *targets), lambda it: set(it.values()) <= closed, 60, f"{targets} to be closed to it"
    )


def opened(pod: Inside, *targets: str) -> None:
    """Wait for connections to all of the targets: a new pod's policies come with a delay."""
    wanted = dict.fromkeys(targets, "connected")
    wait_until(lambda: pod.run("reach", *targets), lambda it: it == wanted, 30, f"{pod.name} to reach {targets}")


def api_pod(cluster: Cluster) -> Inside:
    return Inside(cluster.ready_pods(API_PODS)[0])


def test_a_pod_of_another_namespace_reaches_no_backend(foreigner: Inside) -> None:
    opened(foreigner, API, CLUSTER_API)
    assert_closed(foreigner, *BACKENDS)


def test_a_pod_of_the_same_namespace_without_the_labels_reaches_no_backend(visitor: Inside) -> None:
    opened(visitor, API, CLUSTER_API)
    assert_closed(visitor, *BACKENDS)


def test_a_label_alone_opens_what_it_is_for(cluster: Cluster) -> None:
    with running_pod(cluster, "e2e-trainer", labels={"app.kubernetes.io/component": "training"}) as trainer:
        opened(trainer, "mlflow.credit:5000", "minio.credit:9000")
        assert_closed(trainer, "postgres.credit:5432")


def test_the_api_reaches_the_registry_and_the_records_database_and_nothing_else(cluster: Cluster) -> None:
    pod = api_pod(cluster)
    opened(pod, "mlflow.credit:5000", "postgres.credit:5432")
    assert_closed(pod, "minio.credit:9000", CLUSTER_API, "prometheus.monitoring:9090")


def test_the_retention_job_reaches_the_database_and_nothing_else(cluster: Cluster) -> None:
    labels = {"name": "api", "instance": "api", "component": "retention"}
    with running_pod(
        cluster, "e2e-retention", labels={f"app.kubernetes.io/{key}": value for key, value in labels.items()}
    ) as job:
        opened(job, "postgres.credit:5432")
        assert_closed(job, "mlflow.credit:5000", "minio.credit:9000", CLUSTER_API, API)


def test_the_registry_reaches_its_stores_and_nothing_else(cluster: Cluster) -> None:
    registry = Inside(cluster.ready_pods("app.kubernetes.io/name=mlflow")[0], CREDIT)
    opened(registry, "postgres.credit:5432", "minio.credit:9000")
    assert_closed(registry, CLUSTER_API, API)
