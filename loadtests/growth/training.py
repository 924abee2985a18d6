"""`credit train` on more and more rows: time and memory."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from loadtests.bench.trained import bare_environment
from loadtests.growth.series import Series
from scripts.credit import PROGRAM

MULTIPLES = (1, 2, 4, 8, 32, 200)


def of_rows(data: str, most: int) -> Iterator[Series]:
    """data: path of a CSV file, whose rows are trained on so many times over. most: multiples beyond it are left out.

    Raises SystemExit when a training fails.
    """
    head, *lines = Path(data).read_text().splitlines(keepends=True)
    seconds: dict[int, float] = {}
    megabytes: dict[int, float] = {}
    for multiple in (it for it in MULTIPLES if it <= most):
        with TemporaryDirectory() as name:
            file = Path(name, "rows.csv")
            with file.open("w") as out:
                out.write(head)
                for _ in range(multiple):
                    out.writelines(lines)
            size = multiple * len(lines)
            seconds[size], megabytes[size] = _train(file, Path(name))
    yield Series("rows to train on", "s", seconds)
    yield Series("rows to train on", "MB", megabytes)


def _train(file: Path, folder: Path) -> tuple[float, float]:
    """Seconds, and the most memory in MB."""
    environment = bare_environment() | {"DATA": str(file), "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    start = perf_counter()
    quiet = subprocess.DEVNULL
    child = subprocess.Popen([PROGRAM, "train"], env=environment, cwd=folder, stdout=quiet, stderr=quiet)
    _, status, usage = os.wait4(child.pid, 0)
    # It is waited for, which the library has to be told.
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(
            f"error: credit train ended with exit code {child.returncode} on {file.stat().st_size:,} bytes"
        )
    return perf_counter() - start, usage.ru_maxrss / 1024
