"""Pods of the tests' own, to see the cluster from within."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import __version__
from tests.e2e.cluster import CONTEXT, CREDIT, Cluster, is_ready, kubectl
from tests.e2e.waiting import wait_until

IMAGE = f"credit-default-api:{__version__}"
PROGRAMS = Path(__file__).parent / "inside"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True)
class Inside:
    """A running pod with Python in it."""

    name: str
    namespace: str = CREDIT

    def run(self, program: str, *arguments: str) -> Any:
        """What a program of the folder inside says."""
        command = ["exec", self.name, "--namespace", self.namespace, "--", "python", "-c", _source(program), *arguments]
        return json.loads(kubectl(*command).stdout)

    def start(self, program: str, *arguments: str) -> "subprocess.Popen[str]":
        """The same without waiting for its end, stdin open."""
        command = ["kubectl", "--context", CONTEXT, "exec", "--stdin", self.name, "--namespace", self.namespace]
        command += ["--", "python", "-c", _source(program), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _source(program: str) -> str:
    return (PROGRAMS / f"{program}.py").read_text()


def pod_manifest(name: str, labels: Mapping[str, str], on_control_plane: bool = False) -> dict[str, Any]:
    """A pod that waits, and asks for no more than the restricted level allows."""
    container = {
        "name": "python",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "import signal; signal.pause()"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec: dict[str, Any] = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    if on_control_plane:
        spec["nodeSelector"] = {CONTROL_PLANE: ""}
        spec["tolerations"] = [{"key": CONTROL_PLANE, "operator": "Exists"}]
    return {"metadata": {"name": name, "labels": dict(labels)}, "spec": spec}


@contextmanager
def running_pod(
    cluster: Cluster,
    name: str,
    namespace: str = CREDIT,
    labels: Mapping[str, str] | None = None,
    on_control_plane: bool = False,
) -> Iterator[Inside]:
    """A pod for as long as the block runs. On the control plane no drain of a worker touches it."""
    core = cluster.core
    core.create_namespaced_pod(namespace, pod_manifest(name, labels or {}, on_control_plane))
    try:
        wait_until(lambda: core.read_namespaced_pod(name, namespace), is_ready, 90, f"pod {namespace}/{name} to run")
        yield Inside(name, namespace)
    finally:
        core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)
