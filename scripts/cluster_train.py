"""Train in the cluster: `python -m scripts.cluster_train --context CONTEXT`, DATA from the settings.

A local file goes to MinIO first. The Job is made from the API chart's CronJob; its log is followed here, and
the command ends as the training did, once every API pod serves the version that is then in production.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
from kubernetes import client, watch

from app.settings import load_settings
from app.terminal import progress
from scripts.kube import NAMESPACE, connect, port_forward, secret

BUCKET = "datasets"
CRON_JOB = "api-training"
MODEL = "credit-default-model"
POD_SECONDS = 300.0
SERVING_SECONDS = 120.0


def upload(api: client.ApiClient, context: str, path: Path) -> str:
    """Put a file into the cluster's MinIO; gives its s3:// address."""
    if not path.is_file():
        raise SystemExit(f"error: DATA={path} is no file; give a CSV or Parquet file, or an s3:// address")
    with (
        object_store(api, context) as store,
        progress(path.stat().st_size, f"bytes of {path.name} uploaded") as done,
    ):
        store.upload_file(str(path), BUCKET, path.name, Callback=done)
    return f"s3://{BUCKET}/{path.name}"


@contextmanager
def object_store(api: client.ApiClient, context: str) -> Iterator[Any]:
    """A client of the cluster's MinIO."""
    keys = secret(api, "minio")
    with port_forward(context, "service/minio", 9000) as address:
        yield boto3.client(
            "s3",
            endpoint_url=f"http://{address}",
            aws_access_key_id=keys["access-key"],
            aws_secret_access_key=keys["secret-key"],
            region_name="us-east-1",
        )


def start_job(api: client.ApiClient, data: str) -> str:
    """Make a Job from the CronJob, with DATA in its environment; gives its name."""
    batch = client.BatchV1Api(api)
    template = batch.read_namespaced_cron_job(CRON_JOB, NAMESPACE).spec.job_template
    (container,) = template.spec.template.spec.containers
    container.env = [v for v in container.env or [] if v.name != "DATA"] + [client.V1EnvVar(name="DATA", value=data)]
    metadata = client.V1ObjectMeta(generate_name=f"{CRON_JOB}-", labels=template.metadata.labels)
    job = client.V1Job(metadata=metadata, spec=template.spec)
    return str(batch.create_namespaced_job(NAMESPACE, job).metadata.name)


def poll(look: Callable[[], tuple[bool, Any]], seconds: float, what: str) -> Any:
    """What `look` gave when it first said True; raises SystemExit with the last thing seen."""
    deadline = time.monotonic() + seconds
    while True:
        done, seen = look()
        if done:
            return seen
        if time.monotonic() > deadline:
            raise SystemExit(f"error: waited {seconds:.0f} s for {what}; last seen: {seen}")
        time.sleep(1)  # the interval between two looks


def started_pod(core: client.CoreV1Api, job: str) -> tuple[bool, Any]:
    """The Job's pod once its container has started."""
    pods = core.list_namespaced_pod(NAMESPACE, label_selector=f"batch.kubernetes.io/job-name={job}").items
    if not pods:
        return False, "no pod"
    states = pods[0].status.container_statuses or []
    if pods[0].status.phase in ("Running", "Succeeded", "Failed"):
        return True, pods[0].metadata.name
    return False, [state.state.waiting for state in states] or pods[0].status.phase


def follow(core: client.CoreV1Api, pod: str) -> Iterator[str]:
    """The pod's log, line by line, until it ends."""
    yield from watch.Watch().stream(core.read_namespaced_pod_log, name=pod, namespace=NAMESPACE)


def exit_code(core: client.CoreV1Api, pod: str) -> tuple[bool, Any]:
    """The exit code of the pod's container once it has one."""
    states = core.read_namespaced_pod(pod, NAMESPACE).status.container_statuses
    terminated = states[0].state.terminated if states else None
    return (True, terminated.exit_code) if terminated else (False, "still running")


def production_version(url: str) -> str | None:
    """The version that the alias names in the cluster's registry, None when there is none."""
    parameters = {"name": MODEL, "alias": "production"}
    answer = httpx.get(f"{url}/api/2.0/mlflow/registered-models/alias", params=parameters, timeout=30)
    # What it says of a model or an alias that is not there; anything else is no answer.
    if answer.status_code in (400, 404):
        return None
    return str(answer.raise_for_status().json()["model_version"]["version"])


def serving_versions(core: client.CoreV1Api, context: str) -> list[str | None]:
    """Version that each API pod which is not ending answers with."""
    selector = "app.kubernetes.io/name=api,app.kubernetes.io/component=server"
    found: list[str | None] = []
    for pod in core.list_namespaced_pod(NAMESPACE, label_selector=selector).items:
        if pod.metadata.deletion_timestamp is None:
            try:
                with port_forward(context, f"pod/{pod.metadata.name}", 8000) as address:
                    found.append(httpx.get(f"http://{address}/meta", timeout=30).json()["model_version"])
            except (SystemExit, httpx.TransportError):
                found.append(None)  # it starts or ends just now; the next look will tell
    return found


def main() -> int:
    """The command line; gives the training's exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.cluster_train", description="Train in the cluster.")
    parser.add_argument("--context", required=True, help="kubeconfig context of the cluster")
    parser.add_argument("--only-when-empty", action="store_true", help="do nothing when a model is in production")
    options = parser.parse_args()
    api = connect(options.context)
    core = client.CoreV1Api(api)

    if options.only_when_empty:
        with port_forward(options.context, "service/mlflow", 5000) as address:
            if production_version(f"http://{address}") is not None:
                return 0
    data = load_settings().train.data
    if data and not data.startswith("s3://"):
        data = upload(api, options.context, Path(data))
    job = start_job(api, data)
    pod = poll(lambda: started_pod(core, job), POD_SECONDS, f"the pod of job {job}")
    for line in follow(core, pod):
        print(line, flush=True)  # noqa: T201 - its output
    code = int(poll(lambda: exit_code(core, pod), 60, f"pod {pod} to end"))
    if code == 0:
        with port_forward(options.context, "service/mlflow", 5000) as address:
            version = production_version(f"http://{address}")
        poll(
            lambda: ((seen := serving_versions(core, options.context)) != [] and set(seen) == {version}, seen),
            SERVING_SECONDS,
            f"every API pod to serve version {version}",
        )
        print(f"every API pod serves version {version}")  # noqa: T201 - its output
    return code


if __name__ == "__main__":
    sys.exit(main())
