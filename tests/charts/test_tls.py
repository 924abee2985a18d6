"""TLS on the servers of each chart: whose certificate, where it lies, and who asks by it."""

import pytest

from tests.charts.conftest import Object, objects_of, one, render, template
from tests.charts.test_shape import containers, pods
from tests.charts.test_trust import variables

CHARTS = ("api", "minio", "mlflow", "postgres")
BY_HAND = {"tls": {"enabled": True, "existingSecret": "by-hand"}}
ISSUED = {"tls": {"enabled": True, "issuer": {"name": "inside", "kind": "ClusterIssuer"}}}
CERT_MANAGER = ("--api-versions", "cert-manager.io/v1")
HTTPS = {"scheme": "HTTPS"}
MONITORED = {"serviceMonitor": {"enabled": True}}


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [it for it in objects if it["kind"] == kind]


def server(chart: str, values: Object) -> Object:
    """The spec of the pod that serves."""
    (found,) = [
        pod for pod in pods(chart, values) if pod["metadata"]["labels"]["app.kubernetes.io/component"] == "server"
    ]
    spec: Object = found["spec"]
    return spec


@pytest.mark.parametrize("chart", CHARTS)
def test_cert_manager_is_asked_for_every_name_of_the_service(chart: str) -> None:
    certificate = one(objects_of(template(chart, ISSUED, *CERT_MANAGER)), "Certificate")
    spec = certificate["spec"]
    assert spec["issuerRef"] == {"name": "inside", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    inside = f"{chart}.credit"
    assert set(spec["dnsNames"]) == {chart, inside, f"{inside}.svc", f"{inside}.svc.cluster.local", "localhost"}
    (volume,) = [it for it in server(chart, BY_HAND)["volumes"] if it["name"] == "tls"]
    assert volume["secret"]["secretName"] == "by-hand"
    assert spec["secretName"] == f"{chart}-tls"


@pytest.mark.parametrize("chart", CHARTS)
def test_a_secret_of_ones_own_needs_no_cert_manager(chart: str) -> None:
    assert of_kind(render(chart, BY_HAND), "Certificate") == []


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize(
    ("values", "arguments", "said"),
    [
        ({"tls": {"enabled": True}}, CERT_MANAGER, "tls.enabled needs a certificate"),
        (ISSUED, (), "tls.issuer needs cert-manager (cert-manager.io/v1)"),
    ],
)
def test_what_cannot_be_issued_is_refused(chart: str, values: Object, arguments: tuple[str, ...], said: str) -> None:
    done = template(chart, values, *arguments)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_the_server_has_its_certificate_and_is_probed_by_it(chart: str) -> None:
    plain, secure = server(chart, {}), server(chart, BY_HAND)
    assert "tls" not in {it["name"] for it in plain["volumes"]}
    container = secure["containers"][0]
    assert ("tls", "/etc/tls") in {(it["name"], it["mountPath"]) for it in container["volumeMounts"]}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        before, after = plain["containers"][0][name], container[name]
        assert after == (before if "httpGet" not in before else {**before, "httpGet": before["httpGet"] | HTTPS})


@pytest.mark.parametrize("chart", ["api", "minio", "mlflow"])
def test_prometheus_checks_the_certificate(chart: str) -> None:
    plain, secure = (
        one(render(chart, MONITORED | values), "ServiceMonitor")["spec"]["endpoints"] for values in ({}, BY_HAND)
    )
    checked = {"serverName": chart, "ca": {"secret": {"name": "by-hand", "key": "ca.crt"}}}
    assert secure == [endpoint | {"scheme": "https", "tlsConfig": checked} for endpoint in plain]


@pytest.mark.parametrize("chart", CHARTS)
def test_the_charts_own_test_trusts_who_signed_it(chart: str) -> None:
    (test,) = [
        pod for pod in pods(chart, BY_HAND) if pod["metadata"]["labels"]["app.kubernetes.io/component"] == "test"
    ]
    (volume,) = [it for it in test["spec"]["volumes"] if it["name"] == "certificate-authority"]
    assert volume["secret"] == {"secretName": "by-hand", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    for container in containers(test):
        assert variables(container)["SSL_CERT_FILE"] == "/etc/certificate-authority/ca.crt"


@pytest.mark.parametrize("chart", CHARTS)
def test_the_network_policies_stay_as_they_are(chart: str) -> None:
    plain, secure = (of_kind(render(chart, values), "NetworkPolicy") for values in ({}, BY_HAND))
    assert plain == secure


def test_postgres_lets_nobody_in_over_the_network_without_it() -> None:
    arguments = server("postgres", BY_HAND)["containers"][0]["args"]
    assert {"ssl=on", "hba_file=/scripts/pg_hba.conf"} <= set(arguments)
    scripts = [it["data"] for it in of_kind(render("postgres", BY_HAND), "ConfigMap") if "follow.sh" in it["data"]]
    lines = [line.split() for line in scripts[0]["pg_hba.conf"].splitlines() if line and not line.startswith("#")]
    over_the_network = [line for line in lines if line[0] != "local" and not line[3].startswith(("127.0.0.1", "::1"))]
    assert over_the_network == [["hostssl", "all", "all", "all", "scram-sha-256"]]
