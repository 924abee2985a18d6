"""`python -m loadtests.spark_batch DECISIONS PARQUET OUTPUT`: decide in a Spark cluster of this machine, two executors.

DECISIONS is a JSON file with the fields of app.batch.spark.SparkDecisions, PARQUET a folder of applicants. Runs in an
environment with pyspark and what it wants, and pydantic. Leaves the decisions in OUTPUT, and tells rows, seconds,
executors and whether they have MLflow as JSON.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from app.batch.spark import SparkDecisions

ROOT = Path(__file__).resolve().parent.parent
MASTER = "local-cluster[2,1,1024]"
"""Two executors, processes of their own, of one core and a gigabyte each."""


def executors(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Which process decided, and whether it has MLflow."""
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"executor": [str(os.getppid())], "mlflow": [find_spec("mlflow") is not None]})


def main() -> int:
    """The command line."""
    from pyspark.sql import SparkSession

    described, applicants, output = sys.argv[1:]
    # Else the workers take the machine's name, which need not be an address of its own.
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    decisions = SparkDecisions(**json.loads(Path(described).read_text()))
    builder: Any = SparkSession.builder
    for name, value in {
        "spark.master": MASTER,
        "spark.ui.enabled": "false",
        # No task begins before both executors are there.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
        "spark.executorEnv.PYTHONPATH": str(ROOT),
    }.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    frame = spark.read.parquet(applicants)
    kind = frame.schema[decisions.id_column].dataType.simpleString()
    seen = frame.mapInArrow(executors, "executor string, mlflow boolean").distinct().collect()
    start = perf_counter()
    frame.mapInArrow(decisions, decisions.schema(kind)).write.mode("overwrite").parquet(output)
    seconds = perf_counter() - start
    told = {
        "rows": frame.count(),
        "seconds": seconds,
        "executors": len({it.executor for it in seen}),
        "mlflow": any(it.mlflow for it in seen),
    }
    spark.stop()
    sys.stdout.write(f"{json.dumps(told)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
