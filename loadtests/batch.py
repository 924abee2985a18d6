"""`python -m loadtests.batch [DATA]`: what a row costs when many are decided on at once, in a request and in a file.

DATA is a path or s3:// address as for training; without one it is the setting's, else the synthetic sample. Every way
takes its turn in each round and has one thread; counted is the process's CPU time, which other work does not change.
Exits 1 when any row's probability or reasons differ in any bit from those of one row at a time.
"""

import gc
import json
import sys
from argparse import ArgumentParser
from asyncio import Runner
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from app.audit.journal.writer import Journal
from app.batch.job import Job, Options
from app.batch.output import output_folder
from app.errors import CreditError
from app.metrics import Metrics
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.scoring.forms.extract import extract
from app.scoring.model import Identity, ModelDocument, ScoringModel
from app.scoring.policy import VERDICTS
from app.scoring.rows import ACCEPTED, NO_REASON, RowsDecider
from app.serving.api.batches import answer_batch, encoded
from app.serving.api.reading import Reader
from app.serving.live.holder import Holder
from app.serving.record.recorder import Recorder, RequestContext
from app.settings import Settings, load_settings
from app.tables.find import find
from app.training.data import Dataset, load
from app.training.fit import fit_candidate, predict_of
from app.training.reference import build_reference
from harness.fields import FEATURES

ROUNDS = 5
"""The cheapest of them counts."""
REQUEST_ROWS = 10_000
BLOCK_ROWS = 1024
MOST_KEPT_BYTES = 1 << 30
FEW_ROWS = 5_000
"""For what goes row by row."""

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Way:
    """One way to do the same to that many rows."""

    name: str
    rows: int
    work: Callable[[], object]
    seconds: list[float] = field(default_factory=list)

    def take_turn(self) -> None:
        start = process_time()
        self.work()
        self.seconds.append(process_time() - start)

    def line(self) -> str:
        best = min(self.seconds)
        return f"{self.name:<44} {1e6 * best / self.rows:>8.2f} µs a row {self.rows / best:>12,.0f} rows a second"


def model_of(dataset: Dataset, estimator: object, settings: Settings) -> ScoringModel:
    threshold = load_policy(settings).threshold
    known = build_reference(dataset, predict_of(estimator, dataset.contract), threshold, 20, dataset.contract)
    identity = Identity("measured", "1", "models:/measured/1", "", "0" * 64, 0.0)
    return ScoringModel.compiled(ModelDocument(identity, dataset.contract, extract(estimator), known, {}))


def body_of(rows: Floats) -> bytes:
    values = [[None if value != value else value for value in row] for row in rows.tolist()]
    return json.dumps({"data": {"rows": values}}).encode()


def measure(settings: Settings, folder: Path, loop: Runner) -> bool:
    """Print the table. True when many rows at once are decided as one row at a time."""
    dataset = load(settings)
    estimator = fit_candidate(dataset, settings.train.seed)
    policy = load_policy(settings)
    metrics = Metrics(policy.threshold)
    holder = Holder(settings, policy, metrics)
    holder.take(model_of(dataset, estimator, settings))
    snapshot = holder.snapshot()
    decider, rows_decider = snapshot.decider, RowsDecider(snapshot.decider)

    reader, rows = Reader(dataset.contract), dataset.wire
    few = rows[np.random.default_rng(0).permutation(len(rows))[:FEW_ROWS]].tolist()
    request = rows[np.random.default_rng(1).permutation(len(rows))[:REQUEST_ROWS]]
    body = body_of(request)
    vectors, _ = reader.rows(body)
    context = RequestContext("bench", None)

    def unrecorded(vectors: list[list[float]]) -> Coroutine[Any, Any, dict[str, Any]]:
        return answer_batch(snapshot, vectors, None, context)

    answered = loop.run(unrecorded(vectors))
    pd.DataFrame(dataset.features, columns=list(FEATURES)).to_csv(folder / "rows.csv")
    pd.DataFrame(dataset.features, columns=list(FEATURES)).to_parquet(folder / "rows.parquet")

    def blocks(reasons: bool) -> None:
        for start in range(0, len(rows), BLOCK_ROWS):
            rows_decider.decide(rows[start : start + BLOCK_ROWS], reasons)

    async def whole_request(recorder: Recorder | None) -> bytes:
        return await encoded(await answer_batch(snapshot, reader.rows(body)[0], recorder, context))

    recorder = Recorder(Journal(folder / "journal", MOST_KEPT_BYTES), "refuse", metrics, {})

    def file(name: str, reasons: bool) -> Way:
        output = output_folder(str(folder / "out"), "")
        job = Job(decider, output, Options(reasons, None))
        (found,) = find(str(folder / name), "")

        def score() -> None:
            output.remove(f"{name}.decisions.json")
            job.score(found, lambda size: None)

        return Way(f"file {name}, {'with' if reasons else 'no'} reasons", len(rows), score)

    predict = predict_of(estimator, dataset.contract)
    ways = [
        Way("probability, compiled, one by one", len(few), lambda: [decider.model.score(row) for row in few]),
        Way("probability, predict_proba, all at once", len(rows), lambda: predict(dataset.features)),
        Way("decision, at once", len(rows), lambda: blocks(reasons=False)),
        Way("decision and reasons, at once", len(rows), lambda: blocks(reasons=True)),
        Way("decision and reasons, one by one", len(few), lambda: [decider.decide(row) for row in few]),
        Way("request: read and validate", len(vectors), lambda: reader.rows(body)),
        Way("request: decide, explain, count", len(vectors), lambda: loop.run(unrecorded(vectors))),
        Way("request: encode", len(vectors), lambda: loop.run(encoded(answered))),
        Way("request: all of it but HTTP", len(vectors), lambda: loop.run(whole_request(None))),
        Way("request: all of it but HTTP, recorded", len(vectors), lambda: loop.run(whole_request(recorder))),
        *(file(name, reasons) for name in ("rows.csv", "rows.parquet") for reasons in (False, True)),
    ]
    # As the server does, which has far less in its memory.
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        for way in ways:
            way.take_turn()
    refused = sum(it["decision"] == "REJECT" for it in answered["predictions"]) / len(vectors)
    differ = differing(decider, rows_decider, few)
    lines = [
        f"{dataset.name}: {len(rows):,} rows, {100 * refused:.0f} % of them refused",
        "",
        *(way.line() for way in ways),
        "",
        f"{'rows of ' + format(len(few), ',') + ' that differ in any bit':<44} {differ:>8,}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return differ == 0


def differing(decider: Decider, rows_decider: RowsDecider, rows: Sequence[list[float]]) -> int:
    """Rows that are decided on otherwise one by one."""
    made = rows_decider.decide(np.array(rows))
    numbers = iter(made.reasons.tolist())
    count = 0
    for row, probability, place in zip(rows, made.probabilities, made.verdicts.tolist(), strict=True):
        told = [] if place == ACCEPTED else next(numbers)
        given = [rows_decider.vocabulary[it] for it in told if it != NO_REASON]
        one = decider.decide(row)
        count += (one.probability, one.verdict, one.reasons) != (probability, VERDICTS[place], given)
    return count


def main() -> int:
    """The command line; the exit code is its result."""
    parser = ArgumentParser(prog="python -m loadtests.batch", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        train = settings.train.model_copy(update={"data": arguments.data or settings.train.data})
        with threadpool_limits(limits=1), TemporaryDirectory() as folder, Runner() as loop:
            return 0 if measure(settings.model_copy(update={"train": train}), Path(folder), loop) else 1
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
