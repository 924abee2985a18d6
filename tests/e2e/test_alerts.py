"""An alert goes from the cluster through Prometheus to Alertmanager, and ends when its cause does."""

from collections.abc import Iterator

import pytest
import yaml

from app.settings import ROOT
from tests.e2e.cluster import CREDIT, Cluster
from tests.e2e.prometheus import Prometheus, open_alertmanager
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

RULE = "CreditMlflowDown"
QUICK = "E2eMlflowDown"
"""The rule's own condition without its five minutes of patience."""
WHERE = ("monitoring.coreos.com", "v1", CREDIT, "prometheusrules")


def condition() -> str:
    """When the rule's alert becomes pending."""
    groups = yaml.safe_load((ROOT / "monitoring" / "rules" / "mlflow.yaml").read_text())["groups"]
    return next(str(rule["expr"]) for group in groups for rule in group["rules"] if rule.get("alert") == RULE)


@pytest.fixture
def quick_rule(cluster: Cluster, prometheus: Prometheus) -> Iterator[None]:
    rule = {"alert": QUICK, "expr": condition(), "for": "5s", "labels": {"severity": "none"}}
    body = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "e2e"},
        "spec": {"groups": [{"name": "e2e", "interval": "5s", "rules": [rule]}]},
    }
    cluster.custom.create_namespaced_custom_object(*WHERE, body)
    try:
        wait_until(lambda: prometheus.alert_state(QUICK), "inactive".__eq__, 180, f"Prometheus to load {QUICK}")
        yield
    finally:
        cluster.custom.delete_namespaced_custom_object(*WHERE, "e2e")


@pytest.fixture
def mlflow_pods(cluster: Cluster) -> Iterator[None]:
    """Brings MLflow back."""
    yield
    scale_mlflow(cluster, 1)
    cluster.wait_settled()


def scale_mlflow(cluster: Cluster, replicas: int) -> None:
    cluster.apps.patch_namespaced_deployment_scale("mlflow", CREDIT, {"spec": {"replicas": replicas}})


@pytest.mark.usefixtures("mlflow_pods", "quick_rule")
def test_an_alert_reaches_alertmanager_and_resolves(cluster: Cluster, prometheus: Prometheus) -> None:
    with open_alertmanager(cluster) as alertmanager:

        def told() -> set[str]:
            alerts = alertmanager.get("/api/v2/alerts", params={"active": "true"}).json()
            return {alert["labels"]["alertname"] for alert in alerts}

        scale_mlflow(cluster, 0)
        wait_until(lambda: prometheus.alert_state(RULE), "pending".__eq__, 120, f"{RULE} to be pending")
        wait_until(lambda: prometheus.alert_state(QUICK), "firing".__eq__, 120, f"{QUICK} to fire")
        wait_until(told, lambda names: QUICK in names, 60, f"Alertmanager to be told of {QUICK}")

        scale_mlflow(cluster, 1)
        wait_until(lambda: prometheus.alert_state(RULE), "inactive".__eq__, 240, f"{RULE} to be over")
        wait_until(told, lambda names: QUICK not in names, 240, f"Alertmanager to be told that {QUICK} is over")
