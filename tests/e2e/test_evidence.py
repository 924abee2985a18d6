"""The record's checkpoints lie where nobody can change them, and the record is verified against them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.e2e.cluster import CREDIT, Cluster, kubectl
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

JOB_SECONDS = 300.0


@contextmanager
def run_of(cluster: Cluster, cronjob: str) -> Iterator[str]:
    """The log of a Job made from a CronJob, once it has succeeded."""
    name = f"{cronjob}-{uuid4().hex[:6]}"
    kubectl("--namespace", CREDIT, "create", "job", name, f"--from=cronjob/{cronjob}")
    try:
        job = wait_until(
            lambda: cluster.batch.read_namespaced_job(name, CREDIT),
            lambda found: any(it.status == "True" for it in found.status.conditions or []),
            JOB_SECONDS,
            f"job {name} to end",
        )
        log = kubectl("--namespace", CREDIT, "logs", f"job/{name}").stdout
        assert job.status.succeeded == 1, log
        yield log
    finally:
        kubectl("--namespace", CREDIT, "delete", "job", name)


def mc(*arguments: str) -> str:
    """What MinIO's own client says, as the server's root."""
    script = (
        'mc --quiet alias set here http://localhost:9000 "$(cat /run/passwords/root-user)"'
        ' "$(cat /run/passwords/root-password)" >/dev/null && mc "$@" 2>&1 || true'
    )
    pod = ["--namespace", CREDIT, "exec", "minio-0", "--", "env", "MC_CONFIG_DIR=/tmp/mc", "sh", "-c", script, "mc"]
    return kubectl(*pod, *arguments).stdout


def test_checkpoints_are_kept_where_root_itself_cannot_delete_them(cluster: Cluster) -> None:
    with run_of(cluster, "api-checkpoint") as log:
        assert "links since the one before" in log
    name = log.split(":")[0].splitlines()[-1]
    path = f"here/checkpoints/credit/{name}"
    assert name in mc("ls", "--recursive", "--versions", "here/checkpoints")
    version = mc("stat", "--versions", path)
    assert "COMPLIANCE" in version or "Compliance" in mc("retention", "info", path)
    removed = mc("rm", "--versions", "--force", path)
    assert "WORM" in removed or "retention" in removed, removed
    assert name in mc("ls", "--recursive", "--versions", "here/checkpoints")


def test_the_record_agrees_with_its_checkpoints(cluster: Cluster) -> None:
    with run_of(cluster, "api-checkpoint"), run_of(cluster, "api-verify") as log:
        assert log.splitlines()[-1].startswith("OK: ") or "OK: " in log
        assert "checkpoints" in log
        assert "signed ends" in log
