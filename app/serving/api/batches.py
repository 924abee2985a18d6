"""POST /predict/batch: many applicants, in slices between which the loop serves others.

A thread would not help: scoring is Python code, and the two would take turns at the interpreter's lock anyway.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from pydantic_core import to_json

from app.audit.chain import Entry
from app.errors import NotCompilable
from app.scoring.decider import Decider, Decision
from app.scoring.policy import VERDICTS
from app.scoring.rows import ACCEPTED, NO_REASON, Decisions, RowsDecider, out_of_range
from app.serving.api.predict import row_of
from app.serving.live.holder import Snapshot
from app.serving.record.recorder import Recorder, RequestContext

if TYPE_CHECKING:
    from app.scoring.rows import Floats

FEWEST_ROWS = 100
"""Of a large batch. A smaller one takes a slice or less row by row, and keeps numpy out of the process."""

SLICE_SECONDS = 0.005
"""Longest time that a batch keeps other requests waiting."""

FIRST_ROWS = 64
MOST_ROWS = 1024
"""Of a slice, which begins small: rows whose reasons have to be searched for one by one take a hundred times longer."""

ROWS_ENCODED = 1000

log = logging.getLogger(__name__)


class RequestBatch(Protocol):
    """Rows that are decided on together. predictions: as app.serving.api.schema.RowDecision, before they are kept."""

    predictions: list[dict[str, Any]]

    async def decide(self) -> None:
        """On all rows, in slices."""

    def count(self) -> None:
        """Count all of them, once it is certain that they will be answered."""


async def answer_batch(
    snapshot: Snapshot,
    vectors: Sequence[list[float]],
    recorder: Recorder | None,
    context: RequestContext,
    application_ids: Sequence[str | None] | None = None,
) -> dict[str, Any]:
    """As app.serving.api.schema.BatchAnswer; raises JournalFailed.

    vectors: wire vectors, NaN where a value is missing. recorder: None where decisions are not kept. application_ids:
    one a row, None where none is given.
    """
    batch = await _batch_of(snapshot, vectors)
    await batch.decide()
    if recorder is not None:
        await _keep(snapshot, vectors, batch.predictions, recorder, context, application_ids)
    batch.count()
    return {"predictions": batch.predictions} | snapshot.named


async def _batch_of(snapshot: Snapshot, vectors: Sequence[list[float]]) -> RequestBatch:
    if len(vectors) < FEWEST_ROWS:
        return SmallBatch(snapshot, vectors)
    rows_decider = await snapshot.rows_decider.get(lambda: _rows_decider(snapshot.decider))
    if rows_decider is None:
        return SmallBatch(snapshot, vectors)
    import numpy as np

    # Reading a large body took a slice of its own.
    await asyncio.sleep(0)
    values = chain.from_iterable(vectors)
    rows = np.fromiter(values, np.float64, len(vectors) * len(vectors[0])).reshape(len(vectors), -1)
    return LargeBatch(snapshot, rows_decider, rows)


def _rows_decider(decider: Decider) -> RowsDecider | None:
    """None for a model that only decides one row at a time."""
    try:
        return RowsDecider(decider)
    except NotCompilable as error:
        log.info("large batches go row by row", extra={"reason": str(error)})
        return None


async def _keep(
    snapshot: Snapshot,
    vectors: Sequence[list[float]],
    rows: list[dict[str, Any]],
    recorder: Recorder,
    context: RequestContext,
    application_ids: Sequence[str | None] | None,
) -> None:
    """All of them or none; those that are kept get their ids."""
    turns = _Turns()
    entries: list[Entry] = []
    ids = application_ids or [None] * len(rows)
    for index, (vector, row, application_id) in enumerate(zip(vectors, rows, ids, strict=True)):
        entries.append(recorder.entry(snapshot, context, vector, row, application_id, index))
        await turns.give()
    if recorder.keep(snapshot.policy, entries):
        for row, entry in zip(rows, entries, strict=True):
            row["decision_id"] = entry.key


class _Turns:
    """Gives the loop to others once a slice has passed."""

    def __init__(self) -> None:
        self._ends = perf_counter() + SLICE_SECONDS

    async def give(self) -> None:
        if perf_counter() >= self._ends:
            await asyncio.sleep(0)
            self._ends = perf_counter() + SLICE_SECONDS


@dataclass(slots=True)
class SmallBatch:
    """As RequestBatch, row by row."""

    snapshot: Snapshot
    vectors: Sequence[list[float]]
    predictions: list[dict[str, Any]] = field(default_factory=list)
    _decisions: list[Decision] = field(default_factory=list)

    async def decide(self) -> None:
        turns = _Turns()
        for vector in self.vectors:
            self._decisions.append(self.snapshot.decider.decide(vector))
            await turns.give()
        pairs = zip(self.vectors, self._decisions, strict=True)
        self.predictions = [row_of(self.snapshot, vector, decision) for vector, decision in pairs]

    def count(self) -> None:
        for vector, decision, row in zip(self.vectors, self._decisions, self.predictions, strict=True):
            self.snapshot.metrics.observe(vector, decision, row["out_of_range"])


@dataclass(slots=True)
class LargeBatch:
    """As RequestBatch, many rows at once."""

    snapshot: Snapshot
    rows_decider: RowsDecider
    rows: "Floats"
    predictions: list[dict[str, Any]] = field(default_factory=list)
    _made: list[Decisions] = field(default_factory=list)
    _said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """The reasons of an answer by their numbers, as those of a row are held in one integer."""

    async def decide(self) -> None:
        count = FIRST_ROWS
        while len(self.predictions) < len(self.rows):
            started = perf_counter()
            self._decide_more(count)
            count = next_count(count, perf_counter() - started)
            await asyncio.sleep(0)

    def _decide_more(self, count: int) -> None:
        """On that many more rows."""
        import numpy as np

        start = len(self.predictions)
        rows = self.rows[start : start + count]
        made = self.rows_decider.decide(rows)
        reasons = iter(self._reasons(made))
        self.predictions += [
            {
                "decision_id": None,
                "probability": probability,
                "decision": VERDICTS[verdict],
                "reasons": [] if verdict == ACCEPTED else next(reasons),
                "out_of_range": [],
            }
            for probability, verdict in zip(made.probabilities, made.verdicts.tolist(), strict=True)
        ]
        beyond = out_of_range(self.snapshot.model, rows)
        names = [name for _, name, _, _ in self.snapshot.model.ranges]
        for row in np.flatnonzero(beyond.any(axis=1)).tolist():
            self.predictions[start + row]["out_of_range"] = [names[at] for at in np.flatnonzero(beyond[row]).tolist()]
        self._made.append(made)

    def count(self) -> None:
        # A slice at a time would cost as much as deciding.
        import numpy as np

        reasons: Counter[str] = Counter()
        for made in self._made:
            reasons += self.rows_decider.count_reasons(made)
        self.snapshot.metrics.observe_rows(
            self.rows,
            [probability for made in self._made for probability in made.probabilities],
            np.concatenate([made.verdicts for made in self._made]),
            reasons,
            Counter(name for prediction in self.predictions for name in prediction["out_of_range"]),
        )

    def _reasons(self, made: Decisions) -> list[list[dict[str, Any]]]:
        """Of each that is no ACCEPT. Equal ones share a list."""
        keys = made.reasons.view("i8").ravel().tolist()
        for row, key in enumerate(keys):
            if key not in self._said:
                numbers = [number for number in made.reasons[row].tolist() if number != NO_REASON]
                found = [self.rows_decider.vocabulary[number] for number in numbers]
                self._said[key] = [{"code": it.code, "feature": it.feature, "text": it.text} for it in found]
        return [self._said[key] for key in keys]


def next_count(count: int, took_seconds: float) -> int:
    """Rows of the next slice, after one of that many rows took that long."""
    if took_seconds > SLICE_SECONDS:
        return max(1, count // 2)
    return min(MOST_ROWS, 2 * count) if 2 * took_seconds < SLICE_SECONDS else count


async def encoded(answered: dict[str, Any]) -> bytes:
    """An answer of `predictions` and more as JSON, in slices."""
    predictions = answered["predictions"]
    rest = to_json({name: value for name, value in answered.items() if name != "predictions"})
    parts = [b'{"predictions":[']
    for start in range(0, len(predictions), ROWS_ENCODED):
        parts += (to_json(predictions[start : start + ROWS_ENCODED])[1:-1], b",")
        await asyncio.sleep(0)
    parts[-1] = b"],"
    parts.append(rest[1:])
    # One copy of what may be megabytes.
    return b"".join(parts)
