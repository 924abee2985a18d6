"""`python -m loadtests.scoring [DATA]`: what a row costs compiled and through scikit-learn, and how far they differ.

DATA is a path or s3:// address as for training; without one it is the setting's, else the synthetic sample.
Every way has one thread, as a request has.
Exits 1 when any row's two probabilities differ in any bit.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from math import isnan
from time import perf_counter

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from app.errors import CreditError
from app.scoring.forms.compiled import compile_scorer
from app.scoring.forms.extract import extract
from app.settings import Settings, TrainSettings, load_settings
from app.training.data import load
from app.training.fit import fit_candidate, probabilities

ROUNDS = 5
"""The quickest of them counts: whatever else the machine does can only slow one down."""
SINGLE_ROWS = 300
"""One row at a time through predict_proba takes most of a millisecond; a few hundred rows tell."""

Floats = npt.NDArray[np.float64]


def microseconds_a_row(work: Callable[[], object], rows: int) -> float:
    """The quickest of a few rounds over that many rows."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
    return 1e6 * best / rows


def measure(train: TrainSettings) -> bool:
    """Print the table. True when compiled and predict_proba agree to the last bit on every row."""
    dataset = load(Settings(train=train))
    factors = dataset.factors
    estimator = fit_candidate(dataset, train.seed)
    start = perf_counter()
    score = compile_scorer(extract(estimator))
    compile_seconds = perf_counter() - start
    rows = factors.tolist()
    single = [factors[at : at + 1] for at in range(min(SINGLE_ROWS, len(dataset)))]

    compiled = np.array([score(row) for row in rows])
    reference = probabilities(estimator, factors)
    timings = {
        "compiled, one row at a time": microseconds_a_row(lambda: [score(row) for row in rows], len(rows)),
        "predict_proba, one row at a time": microseconds_a_row(
            lambda: [probabilities(estimator, row) for row in single], len(single)
        ),
        "predict_proba, all rows in one call": microseconds_a_row(lambda: probabilities(estimator, factors), len(rows)),
    }
    missing = sum(any(isnan(value) for value in row) for row in rows)
    lines = [
        f"{dataset.name}: {len(rows):,} rows, {missing:,} with a missing value; {estimator.n_iter_} trees, "
        f"compiled in {compile_seconds:.2f} s",
        "",
        *(f"{name:<38} {microseconds:>9.2f} µs a row" for name, microseconds in timings.items()),
        "",
        f"{'largest difference':<38} {np.abs(compiled - reference).max():>9.1e}",
        f"{'rows that differ in any bit':<38} {int((compiled != reference).sum()):>9,}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool((compiled == reference).all())


def main() -> int:
    """The command line; the exit code is its result."""
    parser = ArgumentParser(prog="python -m loadtests.scoring", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows")
    arguments = parser.parse_args()
    try:
        train = load_settings().train
        with threadpool_limits(limits=1):
            return 0 if measure(train.model_copy(update={"data": arguments.data or train.data})) else 1
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
