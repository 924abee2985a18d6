"""Files are scored by an Indexed Job whose pods share them, to the last bit as the API would."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pandas as pd
import pytest

from harness.fields import FEATURES, TARGET
from harness.sample import synthetic_frame
from scripts.cluster_train import BUCKET, object_store
from tests.e2e.api import LOCAL, TIMEOUT_SECONDS
from tests.e2e.cluster import CONTEXT, CREDIT, Cluster, has_ended, kubectl, released_values, upgrade
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

FILES = 4
ROWS = 5_000
WORKERS = 2
COMPARED = 500
"""Rows of each file that the API is asked about too."""

SELECTOR = "app.kubernetes.io/component=batch"


@contextmanager
def indexed_job(cluster: Cluster, folder: str) -> Iterator[Any]:
    """The finished Job that scores that folder of the bucket; gone afterwards."""
    values = released_values("api")
    changes: dict[str, int | float | str] = {"batch.enabled": True, "batch.parallelism": WORKERS, "batch.reasons": True}
    changes |= {"batch.input": f"s3://{BUCKET}/{folder}/*.csv", "batch.output": f"s3://{BUCKET}/{folder}/decisions"}
    upgrade("api", values, changes)
    try:
        yield wait_until(
            lambda: cluster.batch.list_namespaced_job(CREDIT, label_selector=SELECTOR).items[0],
            has_ended,
            300,
            "the end of the Job",
        )
    finally:
        upgrade("api", values)


def answered(frame: pd.DataFrame) -> list[tuple[float, str, list[str]]]:
    """What the API says about each applicant: probability, decision and codes of the reasons."""
    rows = frame[list(FEATURES)].astype(object).where(frame[list(FEATURES)].notna(), None).to_numpy().tolist()
    body = {"data": {"rows": [[number, *row] for number, row in enumerate(rows)]}}
    answer = httpx.post(f"{LOCAL}/predict/batch", json=body, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text
    return [
        (it["probability"], it["decision"], [reason["code"] for reason in it["reasons"]])
        for it in answer.json()["predictions"]
    ]


def test_workers_share_the_files_and_decide_as_the_api_does(cluster: Cluster, note: Callable[[str], None]) -> None:
    folder = f"e2e-{uuid4().hex[:8]}"
    frames = [synthetic_frame(seed, ROWS).drop(columns=TARGET) for seed in range(FILES)]
    with object_store(cluster.api, CONTEXT) as store:
        for number, frame in enumerate(frames):
            store.put_object(Bucket=BUCKET, Key=f"{folder}/{number}.csv", Body=frame.to_csv().encode())
    with indexed_job(cluster, folder) as job:
        assert (job.status.succeeded, job.status.completed_indexes) == (WORKERS, "0,1"), job.status
        pods = cluster.core.list_namespaced_pod(CREDIT, label_selector=SELECTOR).items
        logs = [kubectl("logs", "--namespace", CREDIT, pod.metadata.name).stdout.splitlines() for pod in pods]
    assert sorted(len(lines) for lines in logs) == [FILES // WORKERS] * WORKERS, logs
    assert len({pod.spec.node_name for pod in pods}) == WORKERS
    for lines in logs:
        note("; ".join(lines))
    refused = 0
    with object_store(cluster.api, CONTEXT) as store:
        for number, frame in enumerate(frames):
            content = store.get_object(Bucket=BUCKET, Key=f"{folder}/decisions/{number}.csv.decisions.parquet")[
                "Body"
            ].read()
            found = pd.read_parquet(io.BytesIO(content))
            assert len(found) == ROWS
            head = found.head(COMPARED)
            scored = zip(head["probability"], head["decision"], map(list, head["reasons"]), strict=True)
            assert list(scored) == answered(frame.head(COMPARED))
            refused += int(np.sum(found["decision"] == "REJECT"))
    assert 0 < refused < FILES * ROWS
