"""A Kubernetes API that knows a few objects: enough for what a chart looks up while Helm renders it."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.charts.conftest import NAMESPACES, Object, chart_folder, template_release

Done = subprocess.CompletedProcess[str]

KINDS = {
    "v1": ["Secret", "PersistentVolumeClaim", "ServiceAccount", "ConfigMap", "Service", "Pod"],
    "apps/v1": ["Deployment", "StatefulSet"],
    "batch/v1": ["Job", "CronJob"],
    "policy/v1": ["PodDisruptionBudget"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "networking.k8s.io/v1": ["NetworkPolicy", "Ingress"],
    "monitoring.coreos.com/v1": ["ServiceMonitor", "PrometheusRule"],
    "rbac.authorization.k8s.io/v1": ["ClusterRole", "ClusterRoleBinding"],
}
"""The kinds that the charts make or look up, all of them in namespaces."""

# Kubernetes makes it in every namespace.
DEFAULT_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}


def document(path: str, objects: Sequence[Object]) -> Object | None:
    """What is at a path of the API: discovery, or an object of any namespace by its name."""
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(it) for it in KINDS if "/" in it]}
    found = re.fullmatch(r"/apis?/((?:[\w.]+/)?v\d)(?:/namespaces/[^/]+/(\w+)/([^/]+))?", path)
    if not found or found[1] not in KINDS:
        return None
    if found[2] is None:
        return {
            "kind": "APIResourceList",
            "groupVersion": found[1],
            "resources": [resource(it) for it in KINDS[found[1]]],
        }
    same = [o for o in objects if resource(o["kind"])["name"] == found[2] and o["metadata"]["name"] == found[3]]
    return same[0] if same else None


def group(group_version: str) -> Object:
    """A group of the API as discovery tells of it."""
    version = {"groupVersion": group_version, "version": group_version.rpartition("/")[2]}
    return {"name": group_version.rpartition("/")[0], "versions": [version], "preferredVersion": version}


def resource(kind: str) -> Object:
    """A kind as discovery tells of it."""
    plural = re.sub("ys$", "ies", f"{kind.lower()}s")
    return {"name": plural, "kind": kind, "namespaced": True, "verbs": ["get", "list"]}


@contextmanager
def cluster(folder: Path, objects: Sequence[Object]) -> Iterator[Path]:
    """The kubeconfig, in the folder, of a cluster whose namespaces all hold the objects."""
    known = [DEFAULT_ACCOUNT, *objects]

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server looks for
            found = document(self.path.partition("?")[0], known)
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            body = json.dumps(missing if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(credentials(server.server_port)))
        yield kubeconfig
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def credentials(port: int) -> dict[str, Any]:
    """A kubeconfig for the port of this machine."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": {}}],
        "current-context": "test",
    }


def installed(chart: str, values: dict[str, Any], folder: Path, objects: Sequence[Object] = ()) -> Done:
    """What Helm would install from the chart in a cluster that holds the objects already."""
    with cluster(folder, objects) as kubeconfig:
        # As an upgrade, or the objects would have to be of no release.
        seen = ["--dry-run=server", "--is-upgrade", "--disable-openapi-validation", "--kubeconfig", str(kubeconfig)]
        return template_release(
            chart_folder(chart), chart, NAMESPACES.get(chart, "credit"), yaml.safe_dump(values), *seen
        )
