"""What charts/monitoring asks of the upstream chart, and what it adds to it."""

import hashlib
import json
from typing import Any

import pytest
import yaml

from tests.charts.conftest import CHARTS, ROOT, one, refusal, render, render_anew

CHART = CHARTS / "monitoring"
STACK = yaml.safe_load((CHART / "values.yaml").read_text())["kube-prometheus-stack"]
KIND = yaml.safe_load((ROOT / "k8s" / "kind" / "monitoring.yaml").read_text())


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges two values files."""
    both = {key: merged(base[key], over[key]) for key in base.keys() & over.keys() if isinstance(base[key], dict)}
    return base | over | both


def prometheus_spec(values: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the upstream chart is asked to make of its Prometheus."""
    asked = merged(STACK, (values or {}).get("kube-prometheus-stack", {}))
    spec: dict[str, Any] = asked["prometheus"]["prometheusSpec"]
    return spec


def test_the_upstream_chart_is_pinned_and_the_lock_is_of_this_pin() -> None:
    wanted = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    lock = yaml.safe_load((CHART / "Chart.lock").read_text())
    assert wanted == lock["dependencies"]
    keys = ("name", "version", "repository")
    both = [[{key: entry[key] for key in keys} for entry in entries] for entries in (wanted, lock["dependencies"])]
    # As Helm reckons it; a lock with another digest is refused as stale.
    assert lock["digest"] == "sha256:" + hashlib.sha256(json.dumps(both, separators=(",", ":")).encode()).hexdigest()


def test_prometheus_takes_monitors_and_rules_of_every_release_and_namespace() -> None:
    spec = prometheus_spec()
    for kind in ("serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"):
        # True, upstream's default, takes only what carries the label of its own release.
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False, kind
        assert spec.get(f"{kind}NamespaceSelector", {}) == {}, kind


def test_pods_are_discovered_through_endpoint_slices() -> None:
    assert prometheus_spec()["serviceDiscoveryRole"] == "EndpointSlice"
    assert STACK["prometheusOperator"]["kubeletEndpointSliceEnabled"]


def test_what_kind_hides_on_its_control_plane_is_not_asked_for() -> None:
    hidden = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
    assert [name for name in hidden if STACK[name]["enabled"]] == []


@pytest.mark.parametrize("values", [{}, KIND], ids=["default", "kind"])
def test_readings_fit_on_the_volume_that_keeps_them(values: dict[str, Any]) -> None:
    spec = prometheus_spec(values)
    asked = spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
    kept, room = float(spec["retentionSize"].removesuffix("GB")), float(asked.removesuffix("Gi"))
    # The write-ahead log and what is being compacted come on top.
    assert kept <= 0.8 * room
    assert spec["resources"]["limits"]["memory"]


def test_grafana_reads_the_secret_that_is_made_and_the_folders_that_dashboards_name() -> None:
    grafana = STACK["grafana"]
    made = one(render("monitoring"), "Secret", grafana["admin"]["existingSecret"])
    assert set(made["stringData"]) == {grafana["admin"]["userKey"], grafana["admin"]["passwordKey"]}
    assert made["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    api = yaml.safe_load((CHARTS / "api" / "values.yaml").read_text())["dashboards"]
    sidecar = grafana["sidecar"]["dashboards"]
    assert api["labels"] == {sidecar["label"]: sidecar["labelValue"]}
    assert list(api["annotations"]) == [sidecar["folderAnnotation"]]
    assert sidecar["searchNamespace"] == "ALL"


def test_grafana_reads_the_configmaps_of_the_cluster_and_none_of_its_secrets() -> None:
    grafana = STACK["grafana"]
    # With rbac.create upstream's ClusterRole reads both, whatever the sidecars look for.
    assert grafana["rbac"]["create"] is False
    assert {grafana["sidecar"][part]["resource"] for part in ("dashboards", "datasources")} == {"configmap"}
    objects = render("monitoring")
    assert one(objects, "ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}
    ]
    binding = one(objects, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == one(objects, "ClusterRole")["metadata"]["name"]
    (account,) = binding["subjects"]
    assert (account["name"], account["namespace"]) == (grafana["fullnameOverride"], "monitoring")


def test_upstreams_own_role_for_grafana_takes_the_place_of_ours() -> None:
    values = {"kube-prometheus-stack": {"grafana": {"rbac": {"create": True}}}}
    assert not [o for o in render("monitoring", values) if o["kind"].startswith("ClusterRole")]


def test_grafana_gets_another_password_at_every_new_install() -> None:
    secrets = [one(render_anew("monitoring"), "Secret", "monitoring-grafana-admin")["stringData"] for _ in range(2)]
    assert len({secret["admin-password"] for secret in secrets}) == 2
    assert all(len(secret["admin-password"]) == 32 for secret in secrets)


def test_a_secret_that_is_there_already_is_left_alone() -> None:
    objects = render("monitoring", {"grafanaAdmin": {"create": False}})
    assert not [o for o in objects if o["kind"] == "Secret" and o["metadata"]["name"] == "monitoring-grafana-admin"]


def test_the_service_prometheus_leads_to_the_pods_of_the_upstream_charts_prometheus() -> None:
    selector = one(render("monitoring"), "Service", "prometheus")["spec"]["selector"]
    assert selector["operator.prometheus.io/name"] == f"{STACK['fullnameOverride']}-prometheus"


def test_nobody_outside_the_namespace_reaches_it_unless_it_is_opened() -> None:
    closed = one(render("monitoring"), "NetworkPolicy", "monitoring")["spec"]
    assert closed["podSelector"] == {}
    assert closed["ingress"] == [{"from": [{"podSelector": {}}]}]
    opened = one(render("monitoring", {"networkPolicy": {"externalAccess": True}}), "NetworkPolicy", "monitoring")
    assert opened["spec"]["ingress"][1] == {"ports": [{"port": 9090}, {"port": 3000}]}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prometheusService": {"nodePort": 30909}}, "has no effect while prometheusService.type is ClusterIP"),
        ({"prometheusService": {"type": "NodePort"}}, "networkPolicy.externalAccess false keeps them out"),
        ({"kube-prometheus-stack": {"grafana": {"admin": {"existingSecret": ""}}}}, "the name of the Secret to make"),
        ({"prometheus": {"retention": "1d"}}, "prometheus"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(values: dict[str, Any], reason: str) -> None:
    assert reason in refusal("monitoring", values)
