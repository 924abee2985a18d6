"""What every pod of every chart keeps to: limits, probes, no privilege, no password in sight, a NetworkPolicy."""

import re

import pytest

from tests.charts.conftest import Object, render
from tests.charts.variants import ALL, OWN_PODS, SERVERS, containers, name_of, pod_of, pods, values_of, variants


@pytest.mark.parametrize("chart", ALL)
def test_every_container_says_what_it_takes(chart: str) -> None:
    for name, container in containers(chart):
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) >= {"cpu", "memory"}, f"{name}: {bound}"


@pytest.mark.parametrize("chart", OWN_PODS)
def test_every_server_is_probed(chart: str) -> None:
    for objects in variants(chart):
        for thing in (o for o in objects if o["kind"] in SERVERS):
            for container in thing["spec"]["template"]["spec"]["containers"]:
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    assert probe in container, f"{name_of(thing)}, container {container['name']}"


@pytest.mark.parametrize("chart", ALL)
def test_no_container_has_a_privilege_or_a_writable_root(chart: str) -> None:
    for name, container in containers(chart):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name


@pytest.mark.parametrize("chart", ALL)
def test_every_pod_runs_as_a_numbered_user_without_token_and_service_variables(chart: str) -> None:
    for name, pod in pods(chart):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name


@pytest.mark.parametrize("chart", OWN_PODS)
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


@pytest.mark.parametrize("chart", ALL)
def test_a_digest_wins_over_a_tag(chart: str) -> None:
    digest = f"sha256:{'0' * 64}"
    given = {"image": {"digest": digest, "tag": "1"}}
    own = values_of(chart)
    # Of its own pods, monitoring has only the one of `helm test`.
    repository = (own["test"] if chart == "monitoring" else own)["image"]["repository"]
    objects = render(chart, {"test": given} if chart == "monitoring" else given)
    images = {c["image"] for o in objects for c in images_of(o)}
    assert f"{repository}@{digest}" in images
    assert f"{repository}:1" not in images


def images_of(thing: Object) -> list[Object]:
    pod = pod_of(thing)
    return [] if pod is None else [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


@pytest.mark.parametrize("chart", ALL)
def test_every_image_is_pulled_with_the_secrets_that_are_named(chart: str) -> None:
    found = [pod_of(thing) for thing in render(chart, {"imagePullSecrets": [{"name": "registry"}]})]
    given = [pod["spec"].get("imagePullSecrets") for pod in found if pod is not None]
    assert given
    assert all(secrets == [{"name": "registry"}] for secrets in given)


@pytest.mark.parametrize("chart", ALL)
def test_no_password_stands_in_an_argument_a_variable_or_a_configmap(chart: str) -> None:
    for name, container in containers(chart):
        given = [*container.get("command", []), *container.get("args", [])]
        given += [variable.get("value", "") for variable in container.get("env", [])]
        for text in given:
            assert not re.search(r"://[^/\s]+:[^/\s]+@", text), f"{name}: {text}"
        for variable in container.get("env", []):
            if re.search(r"(PASSWORD|SECRET|TOKEN|ACCESS_KEY\w*|STORE_URI|DATABASE_URI)$", variable["name"]):
                assert "secretKeyRef" in variable.get("valueFrom", {}), f"{name}: {variable['name']}"
