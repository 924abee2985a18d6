"""What the objects of every chart are called and how they find each other."""

import re
from collections.abc import Iterator

import pytest
import yaml

from tests.charts.conftest import CHARTS, KUBE_VERSION, NAMESPACES, Object, chart_folder, helm, render
from tests.charts.variants import ALL, OWN_PODS, SERVERS, ci_values, name_of, pod_of, variants

LABELS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}
SELECTABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


@pytest.mark.parametrize("chart", ALL)
def test_helm_finds_nothing_to_complain_about(chart: str) -> None:
    for arguments in ([], *(["--values", str(path)] for path in ci_values(chart))):
        done = helm("lint", "--strict", *KUBE_VERSION, str(chart_folder(chart)), *arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_says_which_clusters_it_is_for(chart: str) -> None:
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert (about["apiVersion"], about["name"], about["kubeVersion"]) == ("v2", chart, ">=1.31-0")
    assert about["appVersion"]
    assert about["description"]


@pytest.mark.parametrize("chart", ALL)
def test_every_object_carries_the_standard_labels(chart: str) -> None:
    namespace = NAMESPACES.get(chart, "credit")
    for objects in variants(chart):
        for thing in objects:
            labels = thing["metadata"]["labels"]
            assert set(labels) >= LABELS, thing["metadata"]["name"]
            assert labels["app.kubernetes.io/name"] == chart
            assert labels["app.kubernetes.io/part-of"] == "credit-default"
            assert thing["metadata"].get("namespace", namespace) == namespace


def selectors(thing: Object) -> Iterator[dict[str, str]]:
    spec = thing.get("spec", {})
    if thing["kind"] == "Service":
        yield spec.get("selector", {})
    elif thing["kind"] == "NetworkPolicy":
        yield spec["podSelector"].get("matchLabels", {})
    elif "selector" in spec:
        yield spec["selector"].get("matchLabels", {})


@pytest.mark.parametrize("chart", OWN_PODS)
def test_selectors_hold_over_upgrades(chart: str) -> None:
    found = [s for objects in variants(chart) for thing in objects for s in selectors(thing)]
    assert found
    for selector in found:
        assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= set(selector) <= SELECTABLE


@pytest.mark.parametrize("chart", OWN_PODS)
def test_a_service_finds_its_servers_and_not_its_test_pods(chart: str) -> None:
    for objects in variants(chart):
        labels = {name_of(o): pod_of(o)["metadata"]["labels"] for o in objects if pod_of(o)}  # type: ignore[index]
        servers = {name_of(o) for o in objects if o["kind"] in SERVERS}
        found: list[str] = []
        for service in (o for o in objects if o["kind"] == "Service"):
            wanted = service["spec"]["selector"].items()
            (led_to,) = {name for name, given in labels.items() if wanted <= given.items()}
            found.append(led_to)
        assert set(found) == servers


@pytest.mark.parametrize("chart", ALL)
def test_helm_test_and_the_notes_are_there(chart: str) -> None:
    tests = [o for o in render(chart) if o["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"]
    assert tests
    notes = (CHARTS / chart / "templates" / "NOTES.txt").read_text()
    for advice in ("helm test", "ready", "kubectl --namespace"):
        assert advice in notes


@pytest.mark.parametrize("chart", ALL)
def test_every_name_follows_the_release(chart: str) -> None:
    names = {name_of(thing) for thing in render(chart)}
    # The one name that never changes: a Service beside the operator's own, for everybody who asks Prometheus.
    fixed = {"Service prometheus"} if chart == "monitoring" else set()
    assert {name for name in names if not re.fullmatch(rf"\w+ {chart}(-.+)?", name)} == fixed
