"""Every chart with each of its values, for the rules that all of them keep."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.charts.conftest import CHARTS, Object, chart_names, render

ALL = chart_names()
OWN_PODS = [name for name in ALL if name != "monitoring"]
"""Charts whose servers are their own: monitoring's are the upstream chart's and the operator's."""

SERVING = [name for name in OWN_PODS if name != "backup"]
"""Charts with a server; the others have Jobs alone."""

SERVERS = {"Deployment", "StatefulSet", "DaemonSet"}


def values_of(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return loaded


def schema_of(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return loaded


def ci_values(chart: str) -> list[Path]:
    return sorted((CHARTS / chart / "ci").glob("*.yaml"))


@functools.cache
def variants(chart: str) -> list[list[Object]]:
    """The chart with its default values and with each of ci/."""
    return [render(chart), *(render(chart, yaml.safe_load(path.read_text())) for path in ci_values(chart))]


def pod_of(thing: Object) -> Object | None:
    """The pod template of a workload, with the workload's own metadata for a bare pod."""
    if thing["kind"] == "Pod":
        return thing
    if thing["kind"] == "CronJob":
        template: Object = thing["spec"]["jobTemplate"]["spec"]["template"]
        return template
    if thing["kind"] in SERVERS | {"Job"}:
        return dict(thing["spec"]["template"])
    return None


def name_of(thing: Object) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def pods(chart: str) -> Iterator[tuple[str, Object]]:
    for objects in variants(chart):
        for thing in objects:
            if (pod := pod_of(thing)) is not None:
                yield name_of(thing), pod


def containers(chart: str) -> Iterator[tuple[str, Object]]:
    for name, pod in pods(chart):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield f"{name}, container {container['name']}", container
