"""The cluster under test: its API, and kubectl and helm with its context named."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import yaml
from kubernetes import client

from app.settings import ROOT
from scripts.kube import port_forward
from tests.e2e.waiting import wait_until

CONTEXT = os.environ.get("CONTEXT", "kind-credit")
CREDIT = "credit"
MONITORING = "monitoring"
RELEASES = {"monitoring": MONITORING, "postgres": CREDIT, "minio": CREDIT, "mlflow": CREDIT, "api": CREDIT}
"""Namespace of each, in the order in which they are installed."""

API_PODS = "app.kubernetes.io/name=api,app.kubernetes.io/component=server"
COMMAND_SECONDS = 600.0


def kubectl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One kubectl command that has to succeed."""
    return _run("kubectl", "--context", CONTEXT, *arguments, stdin=stdin)


def helm(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One helm command that has to succeed."""
    return _run("helm", "--kube-context", CONTEXT, *arguments, stdin=stdin)


def shown(*arguments: str) -> str:
    """What kubectl prints, be it an error."""
    command = ["kubectl", "--context", CONTEXT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    return done.stdout + done.stderr


def _run(*command: str, stdin: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done


def released_values(release: str) -> str:
    """The values that a release was installed with, as YAML."""
    return helm("get", "values", release, "--namespace", RELEASES[release], "--output", "yaml").stdout


def upgrade(release: str, values: str, changes: Mapping[str, int | float | str] | None = None) -> None:
    """Install or upgrade a release from its chart, and wait until it is ready."""
    # --set would make text of a fraction.
    sets = [f"--set-json={key}={json.dumps(value)}" for key, value in (changes or {}).items()]
    where = ["--namespace", RELEASES[release], "--values", "-", *sets]
    helm("upgrade", "--install", release, f"charts/{release}", *where, "--wait", "--timeout", "8m", stdin=values)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The kind cluster's API."""

    api: Any

    @property
    def core(self) -> Any:
        return client.CoreV1Api(self.api)

    @property
    def apps(self) -> Any:
        return client.AppsV1Api(self.api)

    @property
    def batch(self) -> Any:
        return client.BatchV1Api(self.api)

    @property
    def autoscaling(self) -> Any:
        return client.AutoscalingV2Api(self.api)

    @property
    def custom(self) -> Any:
        return client.CustomObjectsApi(self.api)

    @contextmanager
    def port_forward(self, target: str, port: int, namespace: str = CREDIT) -> Iterator[str]:
        """host:port of this machine that leads to a port of a target, such as service/api."""
        with ExitStack() as stack:
            try:
                address = stack.enter_context(port_forward(CONTEXT, target, port, namespace))
            except SystemExit as error:
                # In a test it is a thing seen, which a wait may outlast.
                raise AssertionError(str(error)) from error
            yield address

    def pods(self, selector: str, namespace: str = CREDIT) -> list[Any]:
        """The pods that are not on their way out."""
        found = self.core.list_namespaced_pod(namespace, label_selector=selector).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def ready_pods(self, selector: str, namespace: str = CREDIT) -> list[str]:
        """Names of the pods that are ready."""
        return [pod.metadata.name for pod in self.pods(selector, namespace) if is_ready(pod)]

    def restarts(self, selector: str) -> dict[str, int]:
        """How often the containers of each pod have started again."""
        pods = self.pods(selector)
        return {pod.metadata.name: sum(it.restart_count for it in pod.status.container_statuses or []) for pod in pods}

    def replicas(self, namespace: str) -> dict[str, tuple[int, int]]:
        """Ready and wanted pods of each Deployment and StatefulSet."""
        found = [
            *self.apps.list_namespaced_deployment(namespace).items,
            *self.apps.list_namespaced_stateful_set(namespace).items,
        ]
        return {it.metadata.name: (it.status.ready_replicas or 0, it.spec.replicas) for it in found}

    def wait_settled(self, seconds: float = 300) -> None:
        """Until every pod that anybody wants is ready."""
        wait_until(
            lambda: self.replicas(CREDIT) | self.replicas(MONITORING),
            lambda found: all(ready == wanted for ready, wanted in found.values()),
            seconds,
            "every pod to be ready",
        )

    def delete_pod(self, name: str, grace_seconds: int | None = None) -> None:
        """Delete a pod of the credit namespace; without a grace, as its manifest says."""
        grace = {} if grace_seconds is None else {"grace_period_seconds": grace_seconds}
        self.core.delete_namespaced_pod(name, CREDIT, **grace)


def is_ready(pod: Any) -> bool:
    """Whether a pod's conditions say so."""
    return any(it.type == "Ready" and it.status == "True" for it in pod.status.conditions or [])


def has_ended(job: Any) -> bool:
    """Whether a Job's pods are counted and done: SuccessCriteriaMet is true a moment before they are counted."""
    return any(it.type in {"Complete", "Failed"} and it.status == "True" for it in job.status.conditions or [])


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a YAML stream."""
    return [document for document in yaml.safe_load_all(text) if document]
