"""Every server speaks TLS alone, by a certificate of an authority that only this installation knows, and renews it."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest
import yaml

from tests.e2e.api import LOCAL, REQUEST, decide
from tests.e2e.cluster import CREDIT, Cluster, helm, kubectl, released_values, shown, upgrade
from tests.e2e.jobs import run_of
from tests.e2e.pods import Inside
from tests.e2e.prometheus import Prometheus
from tests.e2e.record import arrived
from tests.e2e.waiting import wait_until
from tests.support.certificates import Authority

pytestmark = pytest.mark.e2e

RELEASES = ("minio", "postgres", "mlflow", "api")
NAME = "inside"
TLS: dict[str, int | float | str] = {"tls.enabled": True, "tls.existingSecret": NAME}
TRUST = TLS | {"certificateAuthority.existingConfigMap": NAME}
CHANGES = {
    "minio": TLS,
    "postgres": TLS,
    "mlflow": TRUST | {"artifacts.endpointUrl": "https://minio:9000"},
    "api": TRUST | {"mlflow.trackingUri": "https://mlflow:5000", "training.s3.endpointUrl": "https://minio:9000"},
}
ASK = """
import json, socket, ssl, sys
context = ssl.create_default_context()
told = {}
for name in sys.argv[1:]:
    host, port = name.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        if port == "5432":
            plain.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
            assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname=host) as secure:
            told[name] = secure.getpeercert()["serialNumber"]
print(json.dumps(told))
"""
DECIDE = """
import json, sys
from urllib.request import Request, urlopen
print(urlopen(Request(sys.argv[1], sys.argv[2].encode(), json.loads(sys.argv[3]))).read().decode())
"""
ASKED_FROM = {"deploy/api": ("localhost:8000", "postgres:5432", "mlflow:5000"), "deploy/mlflow": ("minio:9000",)}
"""By the pods that may reach them."""
HOSTS = [
    f"{name}{behind}" for behind in ("", ".credit", ".credit.svc", ".credit.svc.cluster.local") for name in RELEASES
]
RENEWED_BY_THEMSELVES = ("localhost:8000", "postgres:5432", "minio:9000")
CHECKPOINTS = "app.kubernetes.io/name=api,app.kubernetes.io/component=checkpoint"
RENEWAL_SECONDS = 240.0
"""The kubelet brings a changed Secret within two minutes."""


def kept(authority: Authority) -> None:
    """A new certificate of every server, and the authority's own."""
    certificate, key = authority.issue(*HOSTS)
    files = {"tls.crt": certificate, "tls.key": key, "ca.crt": authority.certificate()}
    data = {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "data": data}
    trusted = {"ca.crt": authority.certificate()}
    configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": trusted}
    kubectl("--namespace", CREDIT, "apply", "-f", "-", stdin=yaml.safe_dump_all([secret, configmap]))


def serial_numbers() -> dict[str, str]:
    """Of the certificate that each server shows to a pod that trusts the authority."""
    found: dict[str, str] = {}
    for pod, servers in ASKED_FROM.items():
        inside = ["--namespace", CREDIT, "exec", pod, "--", "python", "-c", ASK, *servers]
        found |= json.loads(kubectl(*inside).stdout)
    return found


@pytest.fixture(scope="module")
def authority(cluster: Cluster) -> Iterator[Authority]:
    """Of a cluster whose servers speak TLS, for as long as these tests run."""
    cluster.wait_settled()
    made, before = Authority(), {release: released_values(release) for release in RELEASES}
    kept(made)
    for release in RELEASES:
        upgrade(release, before[release], CHANGES[release])
    cluster.wait_settled()
    yield made
    for release in RELEASES:
        upgrade(release, before[release])
    cluster.wait_settled()
    # One that began meanwhile still wants what goes now.
    kubectl("--namespace", CREDIT, "delete", "job", "--selector", CHECKPOINTS)
    kubectl("--namespace", CREDIT, "delete", f"secret/{NAME}", f"configmap/{NAME}")


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_passes_its_own_test_over_tls(authority: Authority, release: str) -> None:
    assert "Phase:          Succeeded" in helm("test", release, "--namespace", CREDIT, "--timeout", "3m").stdout


def test_decisions_are_kept_over_tls_and_models_read(cluster: Cluster, authority: Authority) -> None:
    inside = ["--namespace", CREDIT, "exec", "deploy/api", "--"]
    headers = '{"content-type": "application/json"}'
    answer = kubectl(*inside, "python", "-c", DECIDE, "https://localhost:8000/predict", REQUEST, headers)
    decided = json.loads(answer.stdout)
    assert arrived(cluster, [decided["decision_id"]]).lost == 0
    assert Inside("deploy/api").run("document")["has_document"]
    # Which asks Postgres and MinIO.
    with run_of(cluster, "api-checkpoint"):
        pass


def test_nobody_is_answered_without_tls(authority: Authority, visitor: Inside) -> None:
    pod = ["--namespace", CREDIT, "exec", "postgres-0", "--container", "postgres", "--", "sh", "-c"]
    script = "PGPASSWORD=$(cat /run/passwords/credit-password) psql --username=credit --host=$(hostname -i)"
    refused = shown(*pod, f"PGSSLMODE=disable {script} --command='select 1'")
    assert "no encryption" in refused
    assert "1 row" in shown(*pod, f"PGSSLMODE=require {script} --command='select 1'")
    with pytest.raises(httpx.TransportError):
        decide()
    trusting = ssl.create_default_context(cadata=authority.certificate())
    answer = httpx.get(f"{LOCAL.replace('http:', 'https:')}/readyz", verify=trusting, timeout=30)
    assert answer.status_code == 200


def test_prometheus_scrapes_over_tls(authority: Authority, prometheus: Prometheus) -> None:
    def scraped() -> set[tuple[str, str]]:
        targets = prometheus.ask("targets", state="active")["activeTargets"]
        mine = [it for it in targets if it["labels"]["namespace"] == CREDIT]
        return {(it["labels"]["service"], f"{it['scrapeUrl'].partition(':')[0]} {it['health']}") for it in mine}

    wait_until(
        scraped,
        lambda found: found == {(name, "https up") for name in ("api", "minio", "mlflow-metrics")},
        180,
        "every server to be scraped",
    )


def test_a_renewed_certificate_is_taken_without_a_restart(
    cluster: Cluster, authority: Authority, note: Callable[[str], None]
) -> None:
    before = serial_numbers()
    restarts = cluster.restarts("app.kubernetes.io/component=server")
    kept(authority)
    wait_until(
        serial_numbers,
        lambda found: all(found[it] != before[it] for it in RENEWED_BY_THEMSELVES),
        RENEWAL_SECONDS,
        "new certificates",
    )
    assert cluster.restarts("app.kubernetes.io/component=server") == restarts
    note(f"renewed by themselves: {', '.join(RENEWED_BY_THEMSELVES)}")
