"""Runs a CronJob's Job now."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.e2e.cluster import CREDIT, Cluster, has_ended, kubectl
from tests.e2e.waiting import wait_until

JOB_SECONDS = 300.0


@contextmanager
def run_of(cluster: Cluster, cronjob: str) -> Iterator[str]:
    """The log of a Job made from a CronJob, once it has succeeded."""
    name = f"{cronjob}-{uuid4().hex[:6]}"
    kubectl("--namespace", CREDIT, "create", "job", name, f"--from=cronjob/{cronjob}")
    try:
        job = wait_until(
            lambda: cluster.batch.read_namespaced_job(name, CREDIT), has_ended, JOB_SECONDS, f"job {name} to end"
        )
        log = kubectl("--namespace", CREDIT, "logs", f"job/{name}", "--all-containers").stdout
        assert job.status.succeeded == 1, log
        yield log
    finally:
        kubectl("--namespace", CREDIT, "delete", "job", name)
