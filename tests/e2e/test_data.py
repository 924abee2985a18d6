"""Models, runs and passwords outlive pods, upgrades and releases."""

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import ROOT
from scripts.credit import PROGRAM
from tests.e2e.api import apart_from_id, decide
from tests.e2e.cluster import CREDIT, Cluster, helm, released_values, upgrade
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

STORES = ("postgres", "minio", "mlflow")
"""In the order in which they are installed."""

MODEL = "credit-default-model"


def versions(cluster: Cluster) -> list[tuple[str, str]]:
    """Version and run of each registered model version."""
    with cluster.port_forward("service/mlflow", 5000) as address:
        url = f"http://{address}/api/2.0/mlflow/model-versions/search"
        answer = httpx.get(url, params={"filter": f"name='{MODEL}'"}, timeout=30)
    answer.raise_for_status()
    return [(it["version"], it["run_id"]) for it in answer.json()["model_versions"]]


def pulled_digest(cluster: Cluster, folder: Path) -> str:
    """The digest of the model in production, downloaded into an empty cache."""
    with cluster.port_forward("service/mlflow", 5000) as address:
        environment = os.environ | {"MLFLOW_TRACKING_URI": f"http://{address}", "SERVING__CACHE_DIR": str(folder)}
        command = [PROGRAM, "registry", "pull", f"models:/{MODEL}@production"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1]).name


def passwords(cluster: Cluster) -> dict[str, Any]:
    return {name: cluster.core.read_namespaced_secret(name, CREDIT).data for name in ("postgres", "minio")}


def replace_pod(cluster: Cluster, release: str) -> None:
    """Delete the only pod of a StatefulSet and wait for the next one of the same name."""
    (pod,) = cluster.pods(f"app.kubernetes.io/name={release},app.kubernetes.io/component=server")
    cluster.delete_pod(pod.metadata.name)
    wait_until(
        lambda: cluster.core.read_namespaced_pod(pod.metadata.name, CREDIT).metadata.uid,
        lambda uid: uid != pod.metadata.uid,
        120,
        f"another {pod.metadata.name}",
    )
    cluster.wait_settled()


@pytest.mark.parametrize("release", ["postgres", "minio"])
def test_a_deleted_pod_of_a_store_loses_nothing(cluster: Cluster, release: str, tmp_path: Path) -> None:
    known, digest = versions(cluster), pulled_digest(cluster, tmp_path / "before")
    assert known != []
    replace_pod(cluster, release)
    assert wait_until(lambda: versions(cluster), bool, 120, "MLflow to list its models") == known
    assert pulled_digest(cluster, tmp_path / "after") == digest


def test_an_upgrade_and_its_rollback_keep_passwords_and_data(cluster: Cluster, tmp_path: Path) -> None:
    known, secrets = versions(cluster), passwords(cluster)
    for release in STORES:
        upgrade(release, released_values(release), {"terminationGracePeriodSeconds": 75})
    assert (versions(cluster), passwords(cluster)) == (known, secrets)
    assert pulled_digest(cluster, tmp_path / "upgraded")
    for release in STORES:
        helm("rollback", release, "--namespace", CREDIT, "--wait", "--timeout", "5m")
    assert (versions(cluster), passwords(cluster)) == (known, secrets)
    assert pulled_digest(cluster, tmp_path / "rolled-back")


def test_an_uninstall_and_install_keep_passwords_and_data(cluster: Cluster, tmp_path: Path) -> None:
    known, secrets, decision = versions(cluster), passwords(cluster), apart_from_id(decide())
    values = {release: released_values(release) for release in STORES}
    for release in reversed(STORES):
        helm("uninstall", release, "--namespace", CREDIT, "--wait", "--timeout", "5m")
    assert apart_from_id(decide()) == decision
    for release in STORES:
        upgrade(release, values[release])
    assert (versions(cluster), passwords(cluster)) == (known, secrets)
    assert pulled_digest(cluster, tmp_path)
