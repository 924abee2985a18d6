"""Everything is lost but the key that signs, which lenders keep elsewhere, and comes back from another object store."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml

from app.settings import ROOT
from tests.e2e.api import decide, meta
from tests.e2e.cluster import API_PODS, CONTEXT, CREDIT, Cluster, helm, kubectl
from tests.e2e.jobs import run_of
from tests.e2e.prometheus import Prometheus
from tests.e2e.record import arrived, psql
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

VAULT = "vault"
LOST = ("api", "mlflow", "minio", "postgres")
RESTORE_SECONDS = 1200.0

STORE: dict[str, Any] = {
    "buckets": ["backups"],
    "lockedBuckets": [],
    "persistence": {"size": "1Gi"},
    "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": CREDIT}}}],
    },
}
"""The other object store, which is none of ours elsewhere."""

WHERE: dict[str, Any] = {
    "target": {
        "endpoint": f"http://{VAULT}.{VAULT}:9000",
        "location": "s3://backups/credit",
        "existingSecret": "backup-target",
    },
    "networkPolicy": {
        "target": {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": VAULT}}}],
            "port": 9000,
        }
    },
}


def make(target: str, values: Path) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", target, f"BACKUP={values}", f"CONTEXT={CONTEXT}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RESTORE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def values(cluster: Cluster, tmp_path: Path) -> Path:
    """Of charts/backup, after the other store is there."""
    where = ["--namespace", VAULT, "--create-namespace", "--values", "-", "--wait", "--timeout", "5m"]
    helm("upgrade", "--install", VAULT, "charts/minio", *where, stdin=yaml.safe_dump(STORE))
    keys = cluster.core.read_namespaced_secret(VAULT, VAULT).data
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "backup-target", "namespace": CREDIT},
        "data": {name: keys[name] for name in ("access-key", "secret-key")},
    }
    kubectl("apply", "--server-side", "--filename", "-", stdin=yaml.safe_dump(secret))
    path = tmp_path / "backup.yaml"
    path.write_text(yaml.safe_dump(WHERE))
    return path


def lose_everything(cluster: Cluster) -> None:
    for release in LOST:
        helm("uninstall", release, "--namespace", CREDIT, "--wait", "--timeout", "5m")
    # The passwords too: those of the new servers are others.
    kubectl("--namespace", CREDIT, "delete", "secret", "postgres", "minio")
    kubectl("--namespace", CREDIT, "delete", "persistentvolumeclaim", "data-postgres-0", "data-minio-0")
    wait_until(
        lambda: [it.metadata.name for it in cluster.core.list_namespaced_persistent_volume_claim(CREDIT).items],
        lambda names: not {"data-postgres-0", "data-minio-0"} & set(names),
        120,
        "the volumes to be gone",
    )


def assert_watched(prometheus: Prometheus) -> None:
    """The rule of the chart that no other test installs."""
    wait_until(
        lambda: {rule["name"]: rule["health"] for rule in prometheus.rules()},
        lambda it: it.get("CreditBackupOld") == "ok",
        90,
        "CreditBackupOld to be evaluated",
    )


def test_what_was_backed_up_comes_back_into_a_cluster_without_data(
    cluster: Cluster, values: Path, prometheus: Prometheus, note: Callable[[str], None]
) -> None:
    # Models of tests before this one are not in the registry any more.
    since = datetime.now(UTC).isoformat()
    decided = [decide()["decision_id"] for _ in range(20)]
    assert arrived(cluster, decided).lost == 0
    served = meta()
    with run_of(cluster, "api-checkpoint"):
        pass
    began = monotonic()
    note(f"backup: {make('backup', values).splitlines()[-1]}; {monotonic() - began:.0f} s with its installation")
    helm("test", "backup", "--namespace", CREDIT, "--timeout", "5m")
    assert_watched(prometheus)
    count = psql("select count(*) from decisions")

    lose_everything(cluster)
    began = monotonic()
    told = make("restore", values)
    note(f"restore: {next(it for it in told.splitlines() if it.startswith('set '))}; {monotonic() - began:.0f} s")

    assert psql("select count(*) from decisions") == count
    assert set(decided) <= set(psql("select id from decisions"))
    again = meta()
    assert (again.model_version, again.digest, again.model_uri) == (
        served.model_version,
        served.digest,
        served.model_uri,
    )
    with run_of(cluster, "api-verify") as log:
        assert "OK: " in log
        assert "checkpoints" in log
    pod = cluster.ready_pods(API_PODS)[0]
    inside = ["--namespace", CREDIT, "exec", pod, "--", "credit", "audit"]
    note(kubectl(*inside, "replay", "--since", since).stdout.splitlines()[-1])
    assert decide()["decision_id"] is not None


def test_a_restore_writes_over_nothing(cluster: Cluster, values: Path) -> None:
    """After the one before: both databases are there."""
    changes = ["--values", str(values), "--set", "restore.enabled=true"]
    helm("upgrade", "--install", "backup", "charts/backup", "--namespace", CREDIT, *changes)
    try:
        job = wait_until(
            lambda: cluster.batch.read_namespaced_job("backup-restore", CREDIT),
            lambda found: bool(found.status.failed),
            300,
            "the restore to fail",
        )
        assert job.status.succeeded is None
        log = kubectl("--namespace", CREDIT, "logs", "job/backup-restore", "--all-containers").stdout
        assert "tables already: restore into an empty one" in log
    finally:
        helm("uninstall", "backup", "--namespace", CREDIT)
        helm("uninstall", VAULT, "--namespace", VAULT)
