"""A new model in production without anyone noticing, on the cluster and under load."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest

from app.registry.aliases import versions
from app.registry.client import connect
from app.settings import MlflowSettings, Settings
from harness.registries import NAME, constant_classifier, log_constant, log_unjudged, pass_gate
from tests.e2e.api import meta
from tests.e2e.cluster import API_PODS, CREDIT, Cluster, kubectl
from tests.e2e.load import Load
from tests.e2e.pods import Inside
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

UnderLoad = Callable[[], AbstractContextManager[Load]]
Note = Callable[[str], None]

ALIAS = "production"
DEFAULTS = (4, 20)
"""Of 200 rows: two models that give everybody 0.02 and 0.1."""
MOVES = 20
FOLLOW_SECONDS = 90.0
"""A pull on a busy node; the aim at the default poll is 10 s, which the figures show."""


@contextmanager
def registry(cluster: Cluster) -> Iterator[Settings]:
    """Opened for each use: its pod comes and goes."""
    with cluster.port_forward("service/mlflow", 5000) as address:
        yield Settings(mlflow=MlflowSettings(tracking_uri=f"http://{address}"))


@dataclass(frozen=True, slots=True)
class Models:
    """The registry of the cluster with versions of this test's own."""

    cluster: Cluster
    good: tuple[str, str]
    without_document: str
    """Whose own files would be needed, which nothing in the API's image reads."""
    changed_document: str
    """As the tag of its digest says."""

    def let(self, version: str) -> None:
        """Move the alias."""
        with registry(self.cluster) as settings:
            connect(settings).set_registered_model_alias(NAME, ALIAS, version)


@pytest.fixture(scope="module")
def models(cluster: Cluster) -> Iterator[Models]:
    """At the end the alias names what it named before, and the test's versions are gone."""
    with registry(cluster) as settings:
        client = connect(settings)
        before = str(client.get_model_version_by_alias(NAME, ALIAS).version)
        first, second = (log_constant(settings, defaults) for defaults in DEFAULTS)
        without, changed = log_unjudged(settings, constant_classifier(40)), log_constant(settings, 40)
        pass_gate(settings, without)
        client.set_model_version_tag(NAME, changed, "document_digest", "0" * 64)
    yield Models(cluster, (first, second), without, changed)
    with registry(cluster) as settings:
        client = connect(settings)
        client.set_registered_model_alias(NAME, ALIAS, before)
        wait_until(lambda: meta().model_version, lambda it: it == before, FOLLOW_SECONDS, f"version {before} to serve")
        for version in (first, second, without, changed):
            client.delete_model_version(NAME, version)


@pytest.fixture
def two(cluster: Cluster, models: Models) -> Models:
    """The first of the two good versions serves from every pod, and the second is in every cache."""
    cluster.wait_settled()
    for version in reversed(models.good):
        models.let(version)
        wait_for_version(cluster, version)
    return models


def served(cluster: Cluster) -> Mapping[str, Any]:
    """What each API pod serves, asked from within."""
    return {name: Inside(name).run("meta", "http://127.0.0.1:8000") for name in cluster.ready_pods(API_PODS)}


def wait_for_version(cluster: Cluster, version: str) -> float:
    """Until every pod serves it; gives the seconds that took."""
    started = monotonic()
    wait_until(
        lambda: {name: (it["model_version"], it["stale"]) for name, it in served(cluster).items()},
        lambda it: len(it) >= 2 and set(it.values()) == {(version, False)},
        FOLLOW_SECONDS,
        f"every pod to serve version {version}",
    )
    return monotonic() - started


@contextmanager
def unharmed(cluster: Cluster, under_load: UnderLoad, note: Note, what: str) -> Iterator[None]:
    """Load while the block runs, of which nothing failed, nothing was mixed and no container started again."""
    before = cluster.restarts(API_PODS)
    with under_load() as load:
        yield
    note(f"{what}: {load}")
    assert load.failed == []
    assert len(load.served) == len(dict(load.served)), "one version gave one applicant two probabilities"
    # A pull's CPU may let the autoscaler add pods.
    assert {name: count for name, count in cluster.restarts(API_PODS).items() if count > before.get(name, 0)} == {}


def scale(cluster: Cluster, kind: str, name: str, replicas: int) -> None:
    kubectl("--namespace", CREDIT, "scale", f"{kind}/{name}", f"--replicas={replicas}")
    wait_until(lambda: cluster.replicas(CREDIT)[name], lambda it: it == (replicas, replicas), 240, f"{name} to scale")


def test_a_promotion_and_a_rollback_fail_no_request(
    cluster: Cluster, two: Models, under_load: UnderLoad, note: Note
) -> None:
    with unharmed(cluster, under_load, note, "promotion and rollback"):
        two.let(two.good[1])
        promoted = wait_for_version(cluster, two.good[1])
        two.let(two.good[0])
        back = wait_for_version(cluster, two.good[0])
    note(f"from alias to last replica: {promoted:.1f} s, and back {back:.1f} s")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("without_document", "mlflow is not installed"), ("changed_document", "is not the one")],
)
def test_a_bad_model_never_serves(
    cluster: Cluster, two: Models, under_load: UnderLoad, note: Note, kind: str, reason: str
) -> None:
    with unharmed(cluster, under_load, note, kind.replace("_", " ")):
        two.let(getattr(two, kind))
        wait_until(
            lambda: [it["last_reload"]["reason"] or "" for it in served(cluster).values()],
            lambda told: all(reason in it for it in told),
            FOLLOW_SECONDS,
            "every pod to refuse it",
        )
        assert {it["model_version"] for it in served(cluster).values()} == {two.good[0]}


def test_an_alias_that_moves_twenty_times_in_a_minute_fails_no_request(
    cluster: Cluster, two: Models, under_load: UnderLoad, note: Note
) -> None:
    with unharmed(cluster, under_load, note, "twenty moves"):
        for move in range(MOVES):
            two.let(two.good[(move + 1) % 2])
            served(cluster)
        two.let(two.good[0])
        wait_for_version(cluster, two.good[0])


def test_without_the_registry_decisions_go_on_and_restarted_containers_serve_what_served_last(
    cluster: Cluster, two: Models, under_load: UnderLoad, note: Note
) -> None:
    with unharmed(cluster, under_load, note, "no registry"):
        scale(cluster, "deployment", "mlflow", 0)
        wait_until(
            lambda: [it["registry"] for it in served(cluster).values()],
            lambda found: all(it["up"] is False for it in found),
            FOLLOW_SECONDS,
            "every pod to miss the registry",
        )
    name = cluster.ready_pods(API_PODS)[0]
    started = cluster.restarts(API_PODS)[name]
    with under_load() as load:
        kubectl("--namespace", CREDIT, "exec", name, "--", "python", "-c", "import os; os.kill(1, 15)")
        wait_until(
            lambda: cluster.restarts(API_PODS)[name], lambda it: it == started + 1, 120, "the container to start again"
        )
        wait_until(lambda: cluster.ready_pods(API_PODS), lambda names: name in names, 120, "it to be ready")
    note(f"a container restarted: {load}")
    assert load.failed == []
    assert len(load.served) == len(dict(load.served)), "one version gave one applicant two probabilities"
    told = served(cluster)[name]
    assert (told["model_version"], told["stale"]) == (two.good[0], True)
    scale(cluster, "deployment", "mlflow", 1)
    wait_for_version(cluster, two.good[0])


def test_a_store_that_goes_away_during_a_pull_fails_no_request(
    cluster: Cluster, two: Models, under_load: UnderLoad, note: Note
) -> None:
    for name in cluster.ready_pods(API_PODS):
        entries = f"/var/cache/credit/entries/{NAME}-{two.good[1]}-*"
        kubectl("--namespace", CREDIT, "exec", name, "--", "sh", "-c", f"rm -rf {entries}")
    with unharmed(cluster, under_load, note, "MinIO deleted during a pull"):
        two.let(two.good[1])
        cluster.delete_pod("minio-0", grace_seconds=0)
        cluster.wait_settled()
        wait_for_version(cluster, two.good[1])
    with registry(cluster) as settings:
        listed = versions(settings)
    assert next(it.aliases for it in listed if it.version == two.good[1]) == [ALIAS]
