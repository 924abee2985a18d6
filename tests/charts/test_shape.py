"""What a platform asks of every pod and Service, by values of one shape in every chart."""

import re
from typing import Any

import pytest

from tests.charts.conftest import Object, one, refusal, render
from tests.charts.test_batch import BATCH
from tests.charts.variants import ALL, SERVERS, SERVING, pod_of

SECRET = {"secretKeyRef": {"name": "proxy", "key": "address"}}
ACCOUNT = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/credit"}


def pods(chart: str, values: dict[str, Any]) -> list[Object]:
    """Every pod of the chart, the optional job's too."""
    batch = {"batch": BATCH} if chart == "api" else {}
    found = [pod for thing in render(chart, {**batch, **values}) if (pod := pod_of(thing)) is not None]
    assert found
    return found


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def server(chart: str, values: dict[str, Any]) -> Object:
    (found,) = [thing for thing in render(chart, values) if thing["kind"] in SERVERS]
    pod: Object = found["spec"]["template"]
    return pod


@pytest.mark.parametrize("chart", ALL)
def test_every_pod_takes_labels_annotations_and_a_priority(chart: str) -> None:
    values = {"podLabels": {"team": "credit"}, "podAnnotations": {"a.example/b": "c"}, "priorityClassName": "high"}
    for pod in pods(chart, values):
        assert pod["metadata"]["labels"]["team"] == "credit"
        assert pod["metadata"]["annotations"]["a.example/b"] == "c"
        assert pod["spec"]["priorityClassName"] == "high"
    # Selectors go by these, and a pod that leaves them is nobody's.
    for label in ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"):
        assert "podLabels" in refusal(chart, {"podLabels": {label: "other"}})


@pytest.mark.parametrize("chart", ALL)
def test_every_container_takes_volumes(chart: str) -> None:
    volume = {"name": "corporate", "configMap": {"name": "corporate"}}
    mount = {"name": "corporate", "mountPath": "/etc/corporate", "readOnly": True}
    for pod in pods(chart, {"extraVolumes": [volume], "extraVolumeMounts": [mount]}):
        assert volume in pod["spec"]["volumes"]
        assert all(mount in container["volumeMounts"] for container in containers(pod))


@pytest.mark.parametrize("chart", SERVING)
def test_the_server_takes_variables_from_values_and_secrets(chart: str) -> None:
    source = [{"secretRef": {"name": "more"}}]
    own = next(it["name"] for it in containers(server(chart, {}))[-1]["env"] if "value" in it)
    extra = {"PROXY": SECRET, "LEVEL": 3, own: "mine"}
    for container in containers(server(chart, {"extraEnv": extra, "extraEnvFrom": source})):
        names = [it["name"] for it in container["env"]]
        assert len(names) == len(set(names))
        variables = {it["name"]: it.get("value", it.get("valueFrom")) for it in container["env"]}
        assert (variables["PROXY"], variables["LEVEL"], variables[own]) == (SECRET, "3", "mine")
        assert container["envFrom"] == source


@pytest.mark.parametrize(("job", "kind"), [("training", "CronJob"), ("batch", "Job")])
def test_the_apis_jobs_take_variables_of_their_own(job: str, kind: str) -> None:
    source = [{"configMapRef": {"name": "more"}}]
    asked = {"extraEnv": {"PROXY": SECRET}, "extraEnvFrom": source}
    values = {"batch": {**BATCH, **(asked if job == "batch" else {})}} | ({job: asked} if job == "training" else {})
    (pod,) = [
        pod_of(thing)
        for thing in render("api", values)
        if thing["kind"] == kind and thing["metadata"]["labels"]["app.kubernetes.io/component"] == job
    ]
    assert pod is not None
    (container,) = containers(pod)
    assert {"name": "PROXY", "valueFrom": SECRET} in container["env"]
    assert container["envFrom"] == source


@pytest.mark.parametrize("chart", ALL)
def test_every_pod_runs_under_one_account(chart: str) -> None:
    values = {"serviceAccount": {"annotations": ACCOUNT}}
    made = one(render(chart, values), "ServiceAccount")
    assert made["metadata"]["annotations"] == ACCOUNT
    assert made["automountServiceAccountToken"] is False
    assert {pod["spec"]["serviceAccountName"] for pod in pods(chart, values)} == {made["metadata"]["name"]}
    for name, expected in (("theirs", "theirs"), ("", "default")):
        there = {"serviceAccount": {"create": False, "name": name}}
        assert not [thing for thing in render(chart, there) if thing["kind"] == "ServiceAccount"]
        assert {pod["spec"]["serviceAccountName"] for pod in pods(chart, there)} == {expected}


@pytest.mark.parametrize("chart", ALL)
def test_openshift_may_choose_the_user(chart: str) -> None:
    values = {"podSecurityContext": dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"))}
    for pod in pods(chart, values):
        assert pod["spec"]["securityContext"] == {
            "runAsNonRoot": True,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }


@pytest.mark.parametrize("chart", ALL)
def test_security_contexts_can_be_emptied(chart: str) -> None:
    pod_keys = ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile")
    keys = ("allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities")
    values = {"podSecurityContext": dict.fromkeys(pod_keys), "containerSecurityContext": dict.fromkeys(keys)}
    for pod in pods(chart, values):
        assert not pod["spec"].get("securityContext")
        assert all(not container.get("securityContext") for container in containers(pod))


@pytest.mark.parametrize("chart", SERVING)
def test_probes_can_be_changed(chart: str) -> None:
    own = server(chart, {})["spec"]["containers"][0]
    given = {"startup": {"failureThreshold": 999}, "liveness": {"tcpSocket": {"port": 1}}}
    changed = server(chart, {"probes": given})["spec"]["containers"][0]
    assert changed["startupProbe"] == own["startupProbe"] | {"failureThreshold": 999}
    assert changed["readinessProbe"] == own["readinessProbe"]
    kept = {key: value for key, value in own["livenessProbe"].items() if key not in {"exec", "httpGet"}}
    assert changed["livenessProbe"] == kept | {"tcpSocket": {"port": 1}}


@pytest.mark.parametrize("chart", SERVING)
def test_the_servers_spread_as_they_are_told(chart: str) -> None:
    spread = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]
    assert server(chart, {"topologySpreadConstraints": spread})["spec"]["topologySpreadConstraints"] == spread


@pytest.mark.parametrize("chart", ALL)
def test_every_image_comes_from_the_registry_of_the_installation(chart: str) -> None:
    shared = {"imageRegistry": "registry.example.com:5000/mirror", "imagePullSecrets": [{"name": "shared"}]}
    values = {"global": shared, "imagePullSecrets": [{"name": "own"}]}
    for before, after in zip(pods(chart, {}), pods(chart, values), strict=True):
        assert after["spec"]["imagePullSecrets"] == [{"name": "own"}, {"name": "shared"}]
        for old, new in zip(containers(before), containers(after), strict=True):
            assert new["image"] == f"{shared['imageRegistry']}/{re.sub('^quay.io/', '', old['image'])}"


@pytest.mark.parametrize("chart", SERVING)
def test_the_service_has_the_addresses_that_it_is_given(chart: str) -> None:
    asked = {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"], "annotations": {"a.example/lb": "x"}}
    service = one(render(chart, {"service": asked}), "Service", chart)
    assert service["metadata"]["annotations"] == asked["annotations"]
    for key in ("ipFamilyPolicy", "ipFamilies"):
        assert service["spec"][key] == asked[key]
    assert "externalTrafficPolicy" not in service["spec"]


@pytest.mark.parametrize(("chart", "opened"), [("api", {"externalAccess": True}), ("mlflow", {"fromRanges": ["::/0"]})])
def test_a_load_balancer_may_keep_the_callers_addresses(chart: str, opened: dict[str, Any]) -> None:
    service = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    values = {"service": service, "networkPolicy": opened}
    assert one(render(chart, values), "Service")["spec"]["externalTrafficPolicy"] == "Local"
    assert "ClusterIP" in refusal(chart, {"service": {"externalTrafficPolicy": "Local"}})


def test_with_an_identity_of_the_cloud_no_static_keys_are_needed() -> None:
    values = {"serviceAccount": {"annotations": ACCOUNT}}
    keyless = [
        *pods("mlflow", {**values, "artifacts": {"existingSecret": "", "endpointUrl": ""}}),
        *pods("api", {**values, "training": {"s3": {"existingSecret": "", "endpointUrl": ""}}}),
    ]
    for pod in keyless:
        for container in containers(pod):
            assert not [it for it in container.get("env", []) if it["name"].startswith(("AWS_ACCESS", "AWS_SECRET"))]


def test_mlflow_can_stand_behind_an_ingress() -> None:
    asked = {"enabled": True, "className": "nginx", "host": "mlflow.example.com", "tlsSecret": "mlflow-tls"}
    controller = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    objects = render("mlflow", {"ingress": asked, "networkPolicy": {"from": [controller]}})
    spec = one(objects, "Ingress")["spec"]
    assert (spec["ingressClassName"], spec["rules"][0]["host"]) == ("nginx", "mlflow.example.com")
    assert spec["tls"] == [{"hosts": ["mlflow.example.com"], "secretName": "mlflow-tls"}]
    (path,) = spec["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "mlflow", "port": {"name": "http"}}
    # MLflow answers no Host header that it does not know.
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    hosts = next(it["value"] for it in container["env"] if it["name"] == "MLFLOW_SERVER_ALLOWED_HOSTS").split(",")
    assert "mlflow.example.com" in hosts
    assert "needs ingress.host" in refusal("mlflow", {"ingress": {"enabled": True}})
    assert "networkPolicy.from" in refusal("mlflow", {"ingress": asked})


def test_mlflow_listens_where_it_is_told() -> None:
    (container,) = server("mlflow", {"listenAddress": "::"})["spec"]["containers"]
    assert "--host=::" in container["args"]
    hosts = next(it["value"] for it in container["env"] if it["name"] == "MLFLOW_SERVER_ALLOWED_HOSTS").split(",")
    assert "[$(POD_IP)]:5000" in hosts
