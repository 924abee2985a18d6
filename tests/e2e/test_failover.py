"""The database's primary is killed while decisions go on, and its standby takes over: none fails, none is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.cluster import CREDIT, Cluster, helm, kubectl
from tests.e2e.load import steady_load
from tests.e2e.pods import Inside
from tests.e2e.record import arrived, psql
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

MANIFEST = Path(__file__).parent / "manifests" / "pair.yaml"
RELEASE = "paired"
ONE, TWO = "pair-one", "pair-two"
VALUES = """
replicaCount: 2
audit: {database: {existingSecret: pair}, retention: {enabled: false}}
training: {enabled: false}
"""
SHIPPED = 300
"""Decisions in the database on either side of the failover, so that it happens in the middle of shipping."""


def count(pod: str) -> int:
    return int(psql("select count(*) from decisions", pod)[0])


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[None]:
    """The two servers, the second one told of every commit before the first says that it is done."""
    kubectl("--namespace", CREDIT, "apply", "-f", str(MANIFEST))
    try:
        wait = ["wait", "--for=condition=Ready", f"pod/{ONE}", f"pod/{TWO}", "--timeout=180s"]
        kubectl("--namespace", CREDIT, *wait)
        psql("alter system set synchronous_standby_names = '*'", ONE)
        psql("select pg_reload_conf()", ONE)
        wait_until(
            lambda: psql("select sync_state from pg_stat_replication", ONE),
            lambda it: it == ["sync"],
            60,
            "the standby to follow",
        )
        yield
    finally:
        kubectl("--namespace", CREDIT, "delete", "--ignore-not-found", "-f", str(MANIFEST))


@pytest.fixture
def paired(visitor: Inside, pair: None) -> Iterator[str]:
    """A release of the API that keeps its decisions in the pair; its Service."""
    where = ["--namespace", CREDIT, "--values", "-", "--wait", "--timeout", "8m"]
    helm("upgrade", "--install", RELEASE, "charts/api", *where, stdin=VALUES)
    address = f"{RELEASE}:8000"
    wait_until(lambda: visitor.run("reach", address), lambda it: it == {address: "connected"}, 60, "the network")
    yield f"http://{address}"
    helm("uninstall", RELEASE, "--namespace", CREDIT, "--wait")


def take_over() -> None:
    """What whoever watches over the pair does once the primary is gone."""
    # It follows nobody any more, and nobody follows it: a commit would wait for ever.
    psql("alter system reset synchronous_standby_names", TWO)
    psql("select pg_reload_conf()", TWO)
    assert psql("select pg_promote()", TWO) == ["t"]
    kubectl("--namespace", CREDIT, "label", "pod", TWO, "role=primary", "--overwrite")


def test_a_standby_takes_over_under_load_and_no_decision_fails_or_is_lost(
    cluster: Cluster, visitor: Inside, paired: str, note: Callable[[str], None]
) -> None:
    with steady_load(visitor, paired) as load:
        wait_until(lambda: count(ONE), lambda it: it > SHIPPED, 120, "decisions at the primary")
        killed = monotonic()
        cluster.delete_pod(ONE, grace_seconds=0)
        wait_until(
            lambda: cluster.pods("app.kubernetes.io/instance=pair,role=primary"), lambda it: it == [], 60, "its end"
        )
        take_over()
        kept = count(TWO)
        wait_until(lambda: count(TWO), lambda it: it > kept, 180, "a decision at the new primary")
        away = monotonic() - killed
        wait_until(lambda: count(TWO), lambda it: it > kept + SHIPPED, 180, "decisions at the new primary")
    note(f"{away:.0f} s from the primary's end to the first decision at the standby")
    note(str(load))
    assert load.failed == []
    found = arrived(cluster, load.decisions, TWO)
    note(str(found))
    assert (found.lost, found.doubled) == (0, 0)
    inside = ["--namespace", CREDIT, "exec", f"deploy/{RELEASE}", "--", "credit", "audit", "verify"]
    note(kubectl(*inside).stdout.splitlines()[-1])
