"""Prometheus reads every part and evaluates every rule."""

from typing import Any

import pytest
import yaml

from app.settings import ROOT
from tests.e2e.cluster import API_PODS, Cluster
from tests.e2e.prometheus import Prometheus
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

RULE_FILES = sorted((ROOT / "monitoring" / "rules").glob("*.yaml"))
TARGET_SECONDS = 90


def monitors(cluster: Cluster) -> set[str]:
    """namespace/name of each ServiceMonitor."""
    found = cluster.custom.list_cluster_custom_object("monitoring.coreos.com", "v1", "servicemonitors")["items"]
    return {f"{it['metadata']['namespace']}/{it['metadata']['name']}" for it in found}


def targets(prometheus: Prometheus) -> dict[str, list[Any]]:
    """Health and last error of the targets of each ServiceMonitor."""
    found: dict[str, list[Any]] = {}
    for target in prometheus.ask("targets", state="active")["activeTargets"]:
        monitor = target["scrapePool"].removeprefix("serviceMonitor/").rsplit("/", 1)[0]
        found.setdefault(monitor, []).append((target["health"], target["lastError"]))
    return found


def test_the_api_the_registry_and_the_cluster_are_watched(cluster: Cluster) -> None:
    found = monitors(cluster)
    assert {"credit/api", "credit/mlflow", "credit/minio"} <= found
    assert any("kube-state-metrics" in name for name in found)


def test_every_monitor_has_targets_and_all_of_them_are_up(cluster: Cluster, prometheus: Prometheus) -> None:
    wait_until(
        lambda: {monitor: targets(prometheus).get(monitor, []) for monitor in monitors(cluster)},
        lambda it: all(found and all(health == "up" for health, _ in found) for found in it.values()),
        TARGET_SECONDS,
        "every target to be up",
    )


def test_every_api_pod_is_a_target(cluster: Cluster, prometheus: Prometheus) -> None:
    query = 'sum(up{namespace="credit", job="api"})'
    wait_until(
        lambda: (prometheus.values(query), float(len(cluster.ready_pods(API_PODS)))),
        lambda it: it[0] == [it[1]],
        TARGET_SECONDS,
        "Prometheus to read each API pod",
    )


@pytest.mark.parametrize("path", [it for it in RULE_FILES if it.stem != "backup"], ids=lambda path: path.stem)
def test_every_rule_of_the_repository_is_evaluated_without_an_error(path: Any, prometheus: Prometheus) -> None:
    groups = yaml.safe_load(path.read_text())["groups"]
    names = {rule.get("alert") or rule["record"] for group in groups for rule in group["rules"]}
    wait_until(
        lambda: {rule["name"]: (rule["health"], rule.get("lastError")) for rule in prometheus.rules()},
        lambda it: all(it.get(name) == ("ok", None) for name in names),
        TARGET_SECONDS,
        f"the rules of {path.name} to be healthy",
    )


def test_no_rule_fails(prometheus: Prometheus) -> None:
    assert [rule["name"] for rule in prometheus.rules() if rule["health"] == "err"] == []


def test_prometheus_knows_an_alertmanager(prometheus: Prometheus) -> None:
    assert len(prometheus.ask("alertmanagers")["activeAlertmanagers"]) == 1
