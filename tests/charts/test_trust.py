"""Whom the pods trust, a certificate authority of the installation's own, and how they log in to MLflow."""

import http.server
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.conftest import Object, render
from tests.charts.test_batch import BATCH
from tests.charts.test_shape import containers, pods
from tests.charts.variants import pod_of

TRUST = {"certificateAuthority": {"existingConfigMap": "corporate", "key": "bundle.pem"}}
PATH = "/etc/certificate-authority/ca.crt"


def variables(container: Object) -> dict[str, object]:
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in container.get("env", [])}


@pytest.mark.parametrize("chart", ["api", "mlflow"])
def test_every_container_trusts_the_installations_authority(chart: str) -> None:
    for pod in pods(chart, TRUST):
        (volume,) = [it for it in pod["spec"]["volumes"] if it["name"] == "certificate-authority"]
        assert volume["configMap"] == {"name": "corporate", "items": [{"key": "bundle.pem", "path": "ca.crt"}]}
        for container in containers(pod):
            (mount,) = [it for it in container["volumeMounts"] if it["name"] == "certificate-authority"]
            assert f"{mount['mountPath']}/ca.crt" == PATH
            assert variables(container)["PGSSLMODE"] == "verify-full"
            assert variables(container)["PGSSLROOTCERT"] == PATH


@pytest.mark.parametrize("chart", ["api", "mlflow"])
def test_without_one_nothing_of_it_is_there(chart: str) -> None:
    for pod in pods(chart, {}):
        assert "certificate-authority" not in {it["name"] for it in pod["spec"].get("volumes", [])}
        for container in containers(pod):
            assert "PGSSLMODE" not in variables(container)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody in the world has signed, with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test"]
    command += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(folder / "key"),
        "-out",
        str(folder / "ca.crt"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def address(certificate: Path) -> Iterator[str]:
    """A server that shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.crt", certificate / "key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# What MLflow's client, the pods' own questions and the S3 client are made of. Any answer at all is one over TLS.
CLIENTS = {
    "requests": "import requests, sys; requests.get(sys.argv[1])",
    "urllib": "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])",
    "boto3": """
import boto3, sys
from botocore.config import Config
from botocore.exceptions import ClientError
keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
try:
    once = Config(retries={"max_attempts": 0})
    boto3.client("s3", endpoint_url=sys.argv[1], config=once, **keys).head_bucket(Bucket="a")
except ClientError as error:
    print("answered", error)
""",
}


@pytest.mark.parametrize("client", CLIENTS)
def test_with_the_pods_variables_each_client_trusts_it_and_without_them_none(
    client: str, address: str, certificate: Path
) -> None:
    (container,) = [
        pod["spec"]["containers"][0] for o in render("api", TRUST) if o["kind"] == "Deployment" and (pod := pod_of(o))
    ]
    given = {name: str(certificate / "ca.crt") for name, value in variables(container).items() if value == PATH}
    command = [sys.executable, "-c", CLIENTS[client], address]
    with_them = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)
    assert with_them.returncode == 0, with_them.stderr
    bare = {name: value for name, value in os.environ.items() if name not in given}
    without = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in without.stderr


def test_the_api_and_its_jobs_log_in_to_mlflow() -> None:
    login = {"existingSecret": "mlflow-user", "usernameKey": "user", "passwordKey": "secret"}
    for thing in render("api", {"batch": BATCH, "mlflow": {"login": login}}):
        pod = pod_of(thing)
        component = thing["metadata"]["labels"].get("app.kubernetes.io/component")
        if pod is not None and component in {"server", "training", "batch"}:
            (container,) = containers(pod)
            given = variables(container)
            assert given["MLFLOW_TRACKING_USERNAME"] == {"secretKeyRef": {"name": "mlflow-user", "key": "user"}}
            assert given["MLFLOW_TRACKING_PASSWORD"] == {"secretKeyRef": {"name": "mlflow-user", "key": "secret"}}
