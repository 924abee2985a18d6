"""Reaching into a cluster: Services through kubectl port-forward, Secrets and objects through the API."""

import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client, config

NAMESPACE = "credit"


def connect(context: str) -> client.ApiClient:
    """An API client of that context; raises SystemExit with the remedy when the kubeconfig has none."""
    try:
        return config.new_client_from_config(context=context)
    except config.ConfigException as error:
        raise SystemExit(f"error: no context {context} in the kubeconfig; run make up") from error


def secret(api: client.ApiClient, name: str, namespace: str = NAMESPACE) -> dict[str, str]:
    """A Secret's values by key, decoded."""
    data = client.CoreV1Api(api).read_namespaced_secret(name, namespace).data or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


@contextmanager
def port_forward(context: str, target: str, port: int, namespace: str = NAMESPACE) -> Iterator[str]:
    """host:port of this machine that leads to a port of a target, such as service/api, while the block runs."""
    command = [
        "kubectl",
        "--context",
        context,
        "--namespace",
        namespace,
        "port-forward",
        target,
        f":{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            match = re.match(r"Forwarding from (127\.0\.0\.1:\d+)", line)
            if match is None:
                raise SystemExit(f"error: no port-forward to {target}:{port}: {line}{process.stderr.read()}")
            yield match[1]
        finally:
            process.terminate()
