"""Releases of any name, several of them in one namespace, and namespaces of any name keep apart."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.charts.conftest import Object, chart_folder, render_release
from tests.charts.test_batch import BATCH
from tests.charts.variants import ALL, pod_of

# Helm takes 1 to 53 characters, dots and a digit in front; some words are no text in YAML.
NAMES = ["a", "n", "null", "7", "53e1", "a.b", "a" * 42, "b" * 44, "c" * 52, "d" * 53]
WATCHED = {
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "dashboards": {"enabled": True},
    "batch": {**BATCH, "parallelism": 1000},
}
# What Kubernetes puts behind the name in a name or a label of its own, which has to fit into 63 characters: a pod's
# number, the hash of a revision, the minutes of a CronJob, the index of a Job's pod and a dash each.
BEHIND = {"StatefulSet": len("-0123456789"), "CronJob": len("-1234567890"), "Job": len("-999")}
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def values_for(chart: str) -> dict[str, Any]:
    """Every optional object that the chart has."""
    schema = json.loads((chart_folder(chart) / "values.schema.json").read_text())
    return {key: value for key, value in WATCHED.items() if key in schema["properties"]}


def release(chart: str, name: str, namespace: str = "credit") -> list[Object]:
    return render_release(chart, name, namespace, values_for(chart))


def names_of(objects: list[Object]) -> set[tuple[str, str]]:
    return {(thing["kind"], thing["metadata"]["name"]) for thing in objects}


@pytest.mark.parametrize("chart", ALL)
@pytest.mark.parametrize("name", NAMES)
def test_a_release_may_have_any_name_that_helm_takes(chart: str, name: str) -> None:
    for thing in release(chart, name):
        given = thing["metadata"]["name"]
        assert isinstance(given, str), given
        if thing["kind"].startswith("ClusterRole"):
            continue  # of the whole cluster, which takes longer names and dots
        assert DNS_LABEL.fullmatch(given), given
        if thing["kind"] not in {"ConfigMap", "Secret", "PrometheusRule"}:
            assert len(given) + BEHIND.get(thing["kind"], 0) <= 63, f"{thing['kind']} {given}"
        labels = [thing["metadata"]["labels"], (pod_of(thing) or thing)["metadata"]["labels"]]
        assert all(isinstance(value, str) and len(value) <= 63 for label in labels for value in label.values())
        assert all(label["app.kubernetes.io/instance"] == name for label in labels)


@pytest.mark.parametrize("chart", [chart for chart in ALL if chart != "monitoring"])
def test_releases_that_begin_alike_share_no_object(chart: str) -> None:
    alike = ["d" * 52, "d" * 53, "a.b", "a-b", chart, f"{chart}-2"]
    found = [names_of(release(chart, name)) for name in alike]
    assert sum(len(names) for names in found) == len(set().union(*found))


def test_a_second_release_of_monitoring_may_name_its_prometheus() -> None:
    stack = {"fullnameOverride": "second", "grafana": {"admin": {"existingSecret": "second-grafana-admin"}}}
    values = {"prometheusService": {"name": "second-prometheus"}, "kube-prometheus-stack": stack}
    second = render_release("monitoring", "second", "monitoring", values)
    assert names_of(second).isdisjoint(names_of(render_release("monitoring", "monitoring", "monitoring", {})))
    (pod,) = [thing for thing in second if thing["kind"] == "Pod"]
    assert "http://second-prometheus:9090" in yaml.safe_dump(pod)


@pytest.mark.parametrize("chart", ["api", "mlflow", "minio", "postgres"])
def test_every_rule_watches_its_own_release_and_no_other(chart: str) -> None:
    rules = [
        rule
        for thing in release(chart, "other", "lender")
        if thing["kind"] == "PrometheusRule"
        for group in thing["spec"]["groups"]
        for rule in group["rules"]
    ]
    assert rules
    for rule in rules:
        selectors = re.findall(r"\{[^}]*\}", rule["expr"])
        assert selectors
        for selector in selectors:
            assert 'namespace="lender"' in selector, rule
            assert not re.search(rf'"({chart}|credit)"', selector), rule
        # What is summed up says whose sum it is: with two releases a series without it would be both's.
        for grouped in re.findall(r"\bby \(([^)]*)\)", rule["expr"]):
            assert {"namespace", "job"} <= set(grouped.split(", ")), rule


def boards(objects: list[Object]) -> dict[str, Any]:
    """Dashboards by the name of their file, which Grafana keeps in one folder for all."""
    found = [o["data"] for o in objects if o["kind"] == "ConfigMap" and "grafana_dashboard" in o["metadata"]["labels"]]
    return {file: json.loads(text) for data in found for file, text in data.items()}


def test_dashboards_of_several_releases_stand_side_by_side() -> None:
    where = [("api", "credit"), ("second", "credit"), ("api", "lender")]
    found = [boards(release("api", name, namespace)) for name, namespace in where]
    assert len({file for given in found for file in given}) == 9
    for key in ("uid", "title"):
        assert len({board[key] for given in found for board in given.values()}) == 9, key
    for (name, namespace), given in zip(where, found, strict=True):
        uids = {board["uid"] for board in given.values()}
        assert all(len(uid) <= 40 for uid in uids)
        for board in given.values():
            assert {link["url"] for link in board["links"]} <= {f"/d/{uid}" for uid in uids}
            chosen = {it["name"]: it["current"]["value"] for it in board["templating"]["list"]}
            assert (chosen["namespace"], chosen["job"]) == (namespace, name)


def test_prometheus_tells_two_releases_apart_by_the_job() -> None:
    for name in ("api", "second"):
        objects = release("api", name)
        (monitor,) = [thing["spec"] for thing in objects if thing["kind"] == "ServiceMonitor"]
        # Without a jobLabel the operator takes the Service's name.
        assert "jobLabel" not in monitor
        (service,) = [thing for thing in objects if thing["kind"] == "Service"]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert service["metadata"]["name"] == name
