"""Passwords that change in their Secret arrive: at the server by itself, in pods that read them with an upgrade."""

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.waiting import PATIENCE_SECONDS
from tests.charts.cluster import installed
from tests.charts.conftest import CHARTS, Object, one, render, render_anew

CONSOLE = {"callers": {"existingSecret": "callers"}, "console": {"enabled": True}}


def secret(name: str, **data: str) -> Object:
    kept = {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": kept}


def hash_of(chart: str, name: str, values: dict[str, Any], folder: Path, secrets: list[Object]) -> str:
    """What the pods of a Deployment are told apart by."""
    done = installed(chart, values, folder, secrets)
    assert done.returncode == 0, done.stderr
    objects = [it for it in yaml.safe_load_all(done.stdout) if it]
    found: str = one(objects, "Deployment", name)["spec"]["template"]["metadata"]["annotations"]["checksum/secrets"]
    return found


@pytest.mark.parametrize(("chart", "name"), [("api", "api"), ("mlflow", "mlflow")])
def test_another_password_brings_other_pods_and_the_same_one_none(chart: str, name: str, tmp_path: Path) -> None:
    uris = {"credit_uri": "postgresql://a", "mlflow_uri": "postgresql://b"}
    known = [secret("postgres", **uris), secret("minio", access_key="a", secret_key="b")]
    before = hash_of(chart, name, {}, tmp_path, known)
    assert hash_of(chart, name, {}, tmp_path, known) == before
    other = [secret("postgres", **uris | {f"{'credit' if chart == 'api' else 'mlflow'}_uri": "another"}), known[1]]
    assert hash_of(chart, name, {}, tmp_path, other) != before


def test_where_no_cluster_is_seen_nothing_depends_on_it() -> None:
    annotations = [
        one(render_anew("api"), "Deployment", "api")["spec"]["template"]["metadata"]["annotations"] for _ in range(2)
    ]
    assert annotations[0] == annotations[1]


def test_the_server_has_what_follows_its_passwords_beside_it() -> None:
    pod = one(render("postgres"), "StatefulSet", "postgres")["spec"]["template"]["spec"]
    (beside,) = pod["initContainers"]
    assert (beside["restartPolicy"], beside["command"]) == ("Always", ["bash", "/scripts/follow.sh"])
    mounts = {it["name"]: it["mountPath"] for it in beside["volumeMounts"]}
    assert mounts["socket"] == "/var/run/postgresql"
    assert mounts["passwords"] == "/run/passwords"


HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""What runs in the background has SIGINT ignored, for good where bash is concerned."""


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_the_follower_ends_when_it_is_asked(asked: signal.Signals) -> None:
    # The image of Postgres has its containers stopped by SIGINT. By itself the first process of one ignores either.
    command = [sys.executable, "-c", HEARING, "bash", "-x", str(CHARTS / "postgres" / "files" / "follow.sh")]
    with subprocess.Popen(
        command, env=os.environ | {"DATABASES": "credit"}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            assert any("sleep" in line for line in process.stderr)
            process.send_signal(asked)
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
