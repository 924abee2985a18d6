"""Renders this project's charts with Helm, as lists of Kubernetes objects."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.tools import tool

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
NAMESPACES = {"monitoring": "monitoring"}

# What the charts look for in the cluster before they render a ServiceMonitor or an HTTPRoute.
API_VERSIONS = ("monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1")

# A helm that Go built from source takes the cluster for one of Kubernetes 1.20.
KUBE_VERSION = ("--kube-version", "1.34.0")

# What has to be asked for: where no cluster keeps them, passwords are only made then.
MADE_UP = {
    "api": ("--set", "signing.generateOffline=true"),
    "postgres": ("--set", "auth.generateOffline=true"),
    "minio": ("--set", "auth.generateOffline=true"),
    "monitoring": ("--set", "grafanaAdmin.generateOffline=true"),
    # Nobody but the user knows where to.
    "backup": ("--set", "target.location=s3://backups/credit"),
}

Object = dict[str, Any]


def chart_names() -> list[str]:
    return sorted(path.parent.name for path in CHARTS.glob("*/Chart.yaml"))


@functools.cache
def chart_folder(chart: str) -> Path:
    """The chart's folder; where it depends on another project's, a copy that depends on an empty chart instead."""
    folder = CHARTS / chart
    needed = yaml.safe_load((folder / "Chart.yaml").read_text()).get("dependencies", [])
    if not needed:
        return folder
    # What an upstream chart renders is not ours to test; that its values reach it is a cluster's to show.
    copy = ROOT / "build" / "charts" / chart
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns("charts"))
    for dependency in needed:
        empty = copy / "charts" / dependency["name"]
        empty.mkdir(parents=True)
        about = {"apiVersion": "v2", "name": dependency["name"], "version": dependency["version"]}
        (empty / "Chart.yaml").write_text(yaml.safe_dump(about))
    return copy


def helm(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One helm command, never of a cluster: the environment's kubeconfig is hidden from it."""
    hidden = {**os.environ, "KUBECONFIG": os.devnull}
    command = [tool("helm"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, env=hidden, check=False)


def template(chart: str, values: Mapping[str, Any] | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    return templated(chart, yaml.safe_dump(dict(values or {})), *arguments)


# Each chart is rendered once for all the tests that look at it with the same values.
@functools.cache
def templated(chart: str, values: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return template_from(chart_folder(chart), chart, values, *arguments)


def template_from(place: Path, chart: str, values: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a folder or an archive that holds the chart makes of the values, which are YAML."""
    where = NAMESPACES.get(chart, "credit")
    return template_release(place, chart, where, values, *MADE_UP.get(chart, ()), *arguments)


def template_release(
    place: Path, name: str, namespace: str, values: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """What a folder or an archive makes of the values as the release of a name in a namespace."""
    versions = [argument for version in API_VERSIONS for argument in ("--api-versions", version)]
    where = ["--namespace", namespace, *KUBE_VERSION]
    return helm("template", name, str(place), *where, *versions, "--values", "-", *arguments, stdin=values)


def render(chart: str, values: Mapping[str, Any] | None = None, show_only: Sequence[str] = ()) -> list[Object]:
    """Every object of the release named like the chart, in the namespace it belongs to."""
    shown = [argument for path in show_only for argument in ("--show-only", path)]
    done = template(chart, values, *shown)
    return objects_of(done)


def render_release(chart: str, name: str, namespace: str, values: Mapping[str, Any]) -> list[Object]:
    """Every object of the release of a name in a namespace."""
    given, made_up = yaml.safe_dump(dict(values)), MADE_UP.get(chart, ())
    return objects_of(template_release(chart_folder(chart), name, namespace, given, *made_up))


def objects_of(done: subprocess.CompletedProcess[str]) -> list[Object]:
    """The objects that helm template wrote."""
    assert done.returncode == 0, f"{' '.join(done.args[1:4])}: {done.stderr}"
    return [document for document in yaml.load_all(done.stdout, yaml.CSafeLoader) if document]


def render_anew(chart: str) -> list[Object]:
    """The objects of another installation, with random values of its own."""
    templated.cache_clear()
    return render(chart)


def refusal(chart: str, values: Mapping[str, Any]) -> str:
    """Why the chart refuses the values."""
    done = template(chart, values)
    assert done.returncode != 0, f"helm template {chart} accepts {dict(values)}"
    return done.stderr


def one(objects: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """The only object of a kind, or of a kind and name."""
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}: {[o['metadata']['name'] for o in found]}"
    return found[0]
