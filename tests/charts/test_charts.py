"""Rules that every chart keeps."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.conftest import (
    CHARTS,
    KUBE_VERSION,
    NAMESPACES,
    Object,
    chart_folder,
    chart_names,
    helm,
    refusal,
    render,
)

ALL = chart_names()
OURS = [name for name in ALL if name not in NAMESPACES]  # monitoring renders another project's chart
LABELS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}
SELECTABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}
SERVERS = {"Deployment", "StatefulSet", "DaemonSet"}


def values_of(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return loaded


def schema_of(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return loaded


def ci_values(chart: str) -> list[Path]:
    return sorted((CHARTS / chart / "ci").glob("*.yaml"))


@functools.cache
def variants(chart: str) -> list[list[Object]]:
    """The chart with its default values and with each of ci/."""
    return [render(chart), *(render(chart, yaml.safe_load(path.read_text())) for path in ci_values(chart))]


def pod_of(thing: Object) -> Object | None:
    """The pod template of a workload, with the workload's own metadata for a bare pod."""
    if thing["kind"] == "Pod":
        return thing
    if thing["kind"] == "CronJob":
        template: Object = thing["spec"]["jobTemplate"]["spec"]["template"]
        return template
    if thing["kind"] in SERVERS | {"Job"}:
        return dict(thing["spec"]["template"])
    return None


def pods(chart: str) -> Iterator[tuple[str, Object]]:
    for objects in variants(chart):
        for thing in objects:
            if (pod := pod_of(thing)) is not None:
                yield f"{thing['kind']} {thing['metadata']['name']}", pod


def containers(chart: str) -> Iterator[tuple[str, Object]]:
    for name, pod in pods(chart):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield f"{name}, container {container['name']}", container


@pytest.mark.parametrize("chart", ALL)
def test_helm_finds_nothing_to_complain_about(chart: str) -> None:
    for arguments in ([], *(["--values", str(path)] for path in ci_values(chart))):
        done = helm("lint", "--strict", *KUBE_VERSION, str(chart_folder(chart)), *arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("chart", OURS)
def test_every_chart_is_tried_with_values_of_its_own(chart: str) -> None:
    assert ci_values(chart)


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_says_which_clusters_it_is_for(chart: str) -> None:
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert (about["apiVersion"], about["name"], about["kubeVersion"]) == ("v2", chart, ">=1.31-0")
    assert about["appVersion"]
    assert about["description"]


def differing_keys(values: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Keys that stand in only one of a values file and its schema. A schema that leaves keys open ends the search."""
    if schema.get("additionalProperties") is not False or not isinstance(values, dict):
        return
    known = set(schema["properties"])
    known -= {"global"} if not path else set()  # Helm itself passes it
    if path.startswith(("config.", "policy.")):
        known &= set(values)  # api takes every setting and every part of the policy; its values show what people change
    for key in sorted(set(values) ^ known):
        yield f"{path}{key}"
    for key in set(values) & known:
        yield from differing_keys(values[key], schema["properties"][key], f"{path}{key}.")


@pytest.mark.parametrize("chart", OURS)
def test_the_schema_knows_exactly_the_keys_of_the_values(chart: str) -> None:
    assert list(differing_keys(values_of(chart), schema_of(chart))) == []


@pytest.mark.parametrize("chart", OURS)
def test_a_misspelt_key_is_refused(chart: str) -> None:
    nested = [key for key, value in schema_of(chart)["properties"].items() if value.get("properties")]
    assert nested
    assert "replicasCount" in refusal(chart, {"replicasCount": 1})
    for key in nested:
        assert "misspelt" in refusal(chart, {key: {"misspelt": 1}})


@pytest.mark.parametrize("chart", ALL)
def test_a_sentence_stands_above_every_value(chart: str) -> None:
    lines = (CHARTS / chart / "values.yaml").read_text().splitlines()
    known = schema_of(chart) if (CHARTS / chart / "values.schema.json").exists() else {}
    naked = []
    for number, key, path in keys_with_lines(lines):
        if described(known, path) and not re.match(r"\s*# ?\S", lines[number - 1]):
            naked.append(f"line {number + 1}: {key}")
    assert naked == []


def keys_with_lines(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each key of a block mapping with its line and the keys above it; lists are values, not keys."""
    above: list[tuple[int, str]] = []
    list_indent: int | None = None
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("- "):
            list_indent = indent if list_indent is None else min(list_indent, indent)
            continue
        match = re.match(r"\s*([A-Za-z][\w.-]*):(\s|$)", line)
        if not match:
            continue
        if list_indent is not None and indent > list_indent:
            continue
        list_indent = None
        above = [(depth, key) for depth, key in above if depth < indent]
        yield number, match[1], [key for _, key in above]
        above.append((indent, match[1]))


def described(schema: dict[str, Any], path: list[str]) -> bool:
    """Whether the keys below the path are this chart's own, not Kubernetes' or another chart's."""
    if path[-1:] == ["resources"]:
        return False
    node = schema
    for key in path:
        node = node.get("properties", {}).get(key, {})
    return node.get("additionalProperties") is False or not path


@pytest.mark.parametrize("chart", OURS)
def test_every_object_carries_the_standard_labels(chart: str) -> None:
    for objects in variants(chart):
        for thing in objects:
            labels = thing["metadata"]["labels"]
            assert set(labels) >= LABELS, thing["metadata"]["name"]
            assert labels["app.kubernetes.io/name"] == chart
            assert labels["app.kubernetes.io/part-of"] == "credit-default"
            assert thing["metadata"].get("namespace", "credit") == "credit"


def selectors(thing: Object) -> Iterator[dict[str, str]]:
    spec = thing.get("spec", {})
    if thing["kind"] == "Service":
        yield spec.get("selector", {})
    elif thing["kind"] == "NetworkPolicy":
        yield spec["podSelector"].get("matchLabels", {})
    elif "selector" in spec:
        yield spec["selector"].get("matchLabels", {})


@pytest.mark.parametrize("chart", OURS)
def test_selectors_hold_over_upgrades(chart: str) -> None:
    found = [s for objects in variants(chart) for thing in objects for s in selectors(thing)]
    assert found
    for selector in found:
        assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= set(selector) <= SELECTABLE


@pytest.mark.parametrize("chart", OURS)
def test_a_service_finds_its_servers_and_not_its_test_pods(chart: str) -> None:
    for objects in variants(chart):
        labels = {name_of(o): pod_of(o)["metadata"]["labels"] for o in objects if pod_of(o)}  # type: ignore[index]
        servers = {name_of(o) for o in objects if o["kind"] in SERVERS}
        for service in (o for o in objects if o["kind"] == "Service"):
            wanted = service["spec"]["selector"].items()
            assert {name for name, given in labels.items() if wanted <= given.items()} == servers


def name_of(thing: Object) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


@pytest.mark.parametrize("chart", OURS)
def test_every_container_says_what_it_takes(chart: str) -> None:
    for name, container in containers(chart):
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) >= {"cpu", "memory"}, f"{name}: {bound}"


@pytest.mark.parametrize("chart", OURS)
def test_every_server_is_probed(chart: str) -> None:
    for objects in variants(chart):
        for thing in (o for o in objects if o["kind"] in SERVERS):
            for container in thing["spec"]["template"]["spec"]["containers"]:
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    assert probe in container, f"{name_of(thing)}, container {container['name']}"


@pytest.mark.parametrize("chart", OURS)
def test_no_container_has_a_privilege_or_a_writable_root(chart: str) -> None:
    for name, container in containers(chart):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name


@pytest.mark.parametrize("chart", OURS)
def test_every_pod_runs_as_a_numbered_user_without_token_and_service_variables(chart: str) -> None:
    for name, pod in pods(chart):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name


@pytest.mark.parametrize("chart", OURS)
def test_every_pod_is_held_by_a_network_policy(chart: str) -> None:
    for objects in variants(chart):
        policies = [o["spec"] for o in objects if o["kind"] == "NetworkPolicy"]
        for thing in objects:
            pod = pod_of(thing)
            if pod is None:
                continue
            holding = [p for p in policies if selects(p["podSelector"], pod["metadata"]["labels"])]
            assert holding, f"no NetworkPolicy holds {name_of(thing)}"
            for policy in holding:
                assert set(policy["policyTypes"]) == {"Ingress", "Egress"}, name_of(thing)


def selects(selector: Object, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert all(e["operator"] == "In" for e in expressions), expressions
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(e["key"]) in e["values"] for e in expressions
    )


@pytest.mark.parametrize("chart", OURS)
def test_a_digest_wins_over_a_tag(chart: str) -> None:
    digest = f"sha256:{'0' * 64}"
    repository = values_of(chart)["image"]["repository"]
    images = {c["image"] for o in render(chart, {"image": {"digest": digest, "tag": "1"}}) for c in images_of(o)}
    assert f"{repository}@{digest}" in images
    assert f"{repository}:1" not in images


def images_of(thing: Object) -> list[Object]:
    pod = pod_of(thing)
    return [] if pod is None else [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


@pytest.mark.parametrize("chart", OURS)
def test_no_password_stands_in_an_argument_a_variable_or_a_configmap(chart: str) -> None:
    for name, container in containers(chart):
        given = [*container.get("command", []), *container.get("args", [])]
        given += [variable.get("value", "") for variable in container.get("env", [])]
        for text in given:
            assert not re.search(r"://[^/\s]+:[^/\s]+@", text), f"{name}: {text}"
        for variable in container.get("env", []):
            if re.search(r"(PASSWORD|SECRET|TOKEN|ACCESS_KEY\w*|STORE_URI)$", variable["name"]):
                assert "secretKeyRef" in variable.get("valueFrom", {}), f"{name}: {variable['name']}"


@pytest.mark.parametrize("chart", OURS)
def test_helm_test_and_the_notes_are_there(chart: str) -> None:
    tests = [o for o in render(chart) if o["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"]
    assert tests
    notes = (CHARTS / chart / "templates" / "NOTES.txt").read_text()
    for advice in ("helm test", "ready", "kubectl --namespace"):
        assert advice in notes


def test_the_helpers_of_all_charts_are_equal_but_for_the_name() -> None:
    texts = {
        (CHARTS / chart / "templates" / "_helpers.tpl")
        .read_text()
        .replace(f'"{chart}.', '"CHART.')
        .replace(f"`{chart}`", "`CHART`")
        for chart in OURS
    }
    assert len(texts) == 1


@pytest.mark.parametrize("chart", OURS)
def test_every_name_follows_the_release(chart: str) -> None:
    for thing in render(chart):
        assert re.fullmatch(rf"{chart}(-.+)?", thing["metadata"]["name"])
