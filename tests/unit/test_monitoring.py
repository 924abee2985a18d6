"""Dashboards, rules, their tests and their runbooks belong together, and speak of metrics that exist."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.console.outcome_metrics import families as outcome_families
from app.metrics import Metrics
from app.reports.outcome_tables import OutcomeReport
from app.settings import ROOT
from tests.support.tools import tool

MONITORING = ROOT / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yaml"))
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))

# What others export, by exporter. A name that is not here and not in app/metrics is a typing mistake.
OTHERS = {
    "prometheus": {"up", "ALERTS"},
    "prometheus-fastapi-instrumentator": {
        "http_requests_total",
        "http_request_duration_seconds_bucket",
        "http_request_duration_seconds_count",
    },
    "kube-state-metrics": {
        "kube_cronjob_created",
        "kube_cronjob_status_last_successful_time",
        "kube_deployment_spec_replicas",
        "kube_deployment_status_replicas_available",
        "kube_horizontalpodautoscaler_spec_max_replicas",
        "kube_horizontalpodautoscaler_spec_min_replicas",
        "kube_horizontalpodautoscaler_status_current_replicas",
        "kube_job_failed",
        "kube_pod_container_status_restarts_total",
        "kube_pod_container_status_waiting_reason",
        "kube_statefulset_status_replicas_ready",
    },
    "kubelet": {"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"},
}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
WORDS = {"and", "or", "unless", "bool", "offset"}


def own_metrics() -> set[str]:
    report = OutcomeReport([], {}, [])
    families = [*Metrics(0.05).registry.collect(), *outcome_families("2026-01-31T00:00:00.000000Z", report)]
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def metrics_of(expression: str) -> set[str]:
    """Names of the series that a PromQL expression reads."""
    label_values = re.fullmatch(r"label_values\((\w+)(\{[^}]*\})?, \w+\)", expression)
    if label_values:
        return {label_values[1]}
    text = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]', "", expression)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    names = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)
    return set(names) - WORDS


def groups() -> Iterator[dict[str, Any]]:
    for path in RULES:
        yield from yaml.safe_load(path.read_text())["groups"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def alert_cases() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in sorted((MONITORING / "tests").glob("*.yaml"))]
    return [case for file in files for test in file["tests"] for case in test["alert_rule_test"]]


def dashboard(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def expressions() -> list[tuple[str, str]]:
    """(where, PromQL) of every rule, panel and variable."""
    found = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    for path in DASHBOARDS:
        board = dashboard(path)
        found += [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]
        found += [(v["name"], v["definition"]) for v in board["templating"]["list"] if v["type"] == "query"]
        found += [(a["name"], a["expr"]) for a in board["annotations"]["list"] if "expr" in a]
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool("promtool"), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('sum by (le) (rate(a_bucket{x="b"}[5m])) / on () group_left () c', {"a_bucket", "c"}),
        ("max_over_time(up[5m]) > 14.4 * 0.001 and credit:psi:1h > 0.25", {"up", "credit:psi:1h"}),
        ("label_values(credit_model_loaded, namespace)", {"credit_model_loaded"}),
        ('label_values(credit_model_loaded{namespace="$namespace"}, job)', {"credit_model_loaded"}),
    ],
)
def test_the_names_in_an_expression_are_found(expression: str, expected: set[str]) -> None:
    assert metrics_of(expression) == expected


def test_every_metric_that_is_read_is_exported_or_recorded() -> None:
    known = own_metrics() | {rule["record"] for rule in rules() if "record" in rule}
    for names in OTHERS.values():
        known |= names
    unknown = {(where, name) for where, text in expressions() for name in metrics_of(text) if name not in known}
    assert not unknown


def test_every_metric_of_others_that_is_named_here_is_read() -> None:
    read = {name for _, text in expressions() for name in metrics_of(text)}
    assert {name for names in OTHERS.values() for name in names} <= read


def test_every_recorded_series_is_read() -> None:
    read = {name for _, text in expressions() for name in metrics_of(text)}
    assert {rule["record"] for rule in rules() if "record" in rule} <= read


def test_every_alert_says_how_bad_what_and_so_what() -> None:
    for alert in alerts():
        assert alert["alert"].startswith("Credit")
        assert alert["labels"]["severity"] in {"critical", "warning"}, alert["alert"]
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}, alert["alert"]
        assert alert["annotations"]["runbook_url"] == f"monitoring/runbooks/{alert['alert']}.md"
        assert "for" in alert, f"{alert['alert']} would fire on one bad reading"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    runbooks = {path.stem for path in (MONITORING / "runbooks").glob("*.md")}
    assert runbooks == {alert["alert"] for alert in alerts()}


@pytest.mark.parametrize("path", sorted((MONITORING / "runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_what_it_costs_where_to_look_and_what_to_do(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    for link in re.findall(r"\]\((\w+\.md)\)", text):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize("path", sorted((MONITORING / "runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_the_commands_of_a_runbook_are_for_the_readers_cluster(path: Path) -> None:
    text = path.read_text()
    assert "kind-credit" not in text
    for command in re.findall(r"(?:kubectl|helm) [^`\n|]*", text):
        if "--namespace" in command:
            assert '--namespace "$NAMESPACE"' in command, command
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    used = set(re.findall(r"\$([A-Z]+)", text))
    assert used <= set(re.findall(r"^([A-Z]+)=\w+  # .+$", blocks[0], re.MULTILINE) if blocks else [])
    # What is left of our names would be a release of somebody else's.
    for named in re.findall(r"(?:deployment|service|statefulset|cronjob)/([\w$-]+)", text):
        assert named.startswith("$"), named


def test_every_alert_and_severity_is_tested_to_fire_and_every_alert_not_to() -> None:
    fired = {
        (case["alertname"], expected["exp_labels"]["severity"])
        for case in alert_cases()
        for expected in case.get("exp_alerts", [])
    }
    silent = {case["alertname"] for case in alert_cases() if not case.get("exp_alerts")}
    assert fired == {(alert["alert"], alert["labels"]["severity"]) for alert in alerts()}
    assert silent == {alert["alert"] for alert in alerts()}


def test_every_rule_watches_one_namespace_which_the_chart_can_replace() -> None:
    for rule in rules():
        for selector in re.findall(
            r"(?<![:\w])((?:kube|kubelet|http|credit)_\w+|credit:[\w:]+|up)(\{[^}]*\})?", rule["expr"]
        ):
            assert 'namespace="credit"' in selector[1], (rule.get("alert") or rule["record"], selector[0])


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_promtool_accepts_the_rules(path: Path) -> None:
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_the_rules_fire_when_they_should_and_only_then(path: Path) -> None:
    done = promtool("test", "rules", str(MONITORING / "tests" / path.name))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_loaded_anywhere(path: Path) -> None:
    board = dashboard(path)
    assert board["uid"] == f"credit-{path.stem}"
    assert board["id"] is None
    assert "__inputs" not in board, "an export for sharing asks for its data source by hand"
    variables = {variable["name"]: variable["type"] for variable in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "namespace": "query", "job": "query"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_explains_itself_to_somebody_woken_by_it(path: Path) -> None:
    for panel in dashboard(path)["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"], panel["title"]
        assert panel["targets"], panel["title"]
        for asked in [panel, *panel["targets"]]:
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_overlap(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard(path)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
