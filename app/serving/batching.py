"""Large batches: many rows at once, in slices between which the loop serves others."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from app.errors import NotCompilable
from app.scoring.decider import Decider
from app.scoring.rows import NO_REASON, Decisions, RowsDecider

if TYPE_CHECKING:
    from app.scoring.rows import Flags, Floats
    from app.serving.holder import Serving

FEWEST_ROWS = 100
"""A smaller batch takes a slice or less row by row, and numpy stays out of a process that gets no larger one."""

SLICE_SECONDS = 0.005
"""Longest time that a batch keeps other requests waiting."""

FIRST_ROWS = 64
MOST_ROWS = 1024
"""Of a slice, which begins small: rows whose reasons have to be searched for one by one take a hundred times longer."""

ROWS_ENCODED = 1000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LargeBatches:
    """What large batches need of one model and policy, made when the first one comes."""

    _rows_decider: RowsDecider | None = None
    _impossible: bool = False

    async def rows_decider(self, decider: Decider) -> RowsDecider | None:
        """None for a model that only decides one row at a time."""
        if self._rows_decider is None and not self._impossible:
            try:
                # numpy takes a tenth of a second to load, in which others are answered.
                self._rows_decider = await asyncio.to_thread(RowsDecider, decider)
            except NotCompilable as error:
                self._impossible = True
                log.info("large batches go row by row", extra={"reason": str(error)})
        return self._rows_decider


async def decide_large(serving: "Serving", vectors: Sequence[list[float]]) -> list[dict[str, Any]] | None:
    """As app.serving.answers.decide_row for each, counted too; None where it has to be row by row."""
    rows_decider = await serving.large_batches.rows_decider(serving.decider) if len(vectors) >= FEWEST_ROWS else None
    if rows_decider is None:
        return None
    work = _Slices(serving, rows_decider)
    predictions: list[dict[str, Any]] = []
    count = FIRST_ROWS
    while len(predictions) < len(vectors):
        started = perf_counter()
        predictions += work.decide(vectors[len(predictions) : len(predictions) + count])
        took = perf_counter() - started
        count = next_count(count, took)
        await asyncio.sleep(0)
    return predictions


def next_count(count: int, took_seconds: float) -> int:
    """Rows of the next slice, after one of that many rows took that long."""
    if took_seconds > SLICE_SECONDS:
        return max(1, count // 2)
    return min(MOST_ROWS, 2 * count) if 3 * took_seconds < SLICE_SECONDS else count


@dataclass(frozen=True, slots=True)
class _Slices:
    serving: "Serving"
    rows_decider: RowsDecider
    _said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """The reasons of an answer by their numbers, as those of a row are held in one integer."""

    def decide(self, vectors: Sequence[list[float]]) -> list[dict[str, Any]]:
        import numpy as np

        rows = np.array(vectors)
        made = self.rows_decider.decide(rows)
        beyond = self._beyond(rows)
        names = [name for _, name, _, _ in self.serving.model.ranges]
        self.serving.metrics.observe_rows(
            rows,
            made.probabilities,
            made.refused,
            self.rows_decider.count_reasons(made),
            dict(zip(names, beyond.sum(axis=0).tolist(), strict=True)),
        )
        reasons = iter(self._reasons(made))
        predictions: list[dict[str, Any]] = [
            {
                "probability": probability,
                "decision": "REJECT" if refused else "ACCEPT",
                "reasons": next(reasons) if refused else [],
                "out_of_range": [],
            }
            for probability, refused in zip(made.probabilities, made.refused.tolist(), strict=True)
        ]
        for row in np.flatnonzero(beyond.any(axis=1)).tolist():
            predictions[row]["out_of_range"] = [names[at] for at in np.flatnonzero(beyond[row]).tolist()]
        return predictions

    def _beyond(self, rows: "Floats") -> "Flags":
        """As ScoringModel.out_of_range: one row an applicant, one column a feature."""
        import numpy as np

        ranges = self.serving.model.ranges
        values = rows[:, [at for at, _, _, _ in ranges]]
        lows, highs = np.array([[low, high] for _, _, low, high in ranges]).reshape(-1, 2).T
        beyond: Flags = (values < lows) | (values > highs)
        return beyond

    def _reasons(self, made: Decisions) -> list[list[dict[str, Any]]]:
        """Of each refusal. Equal ones share a list."""
        keys = made.reasons.view("i4").ravel().tolist()
        for row, key in enumerate(keys):
            if key not in self._said:
                numbers = [number for number in made.reasons[row].tolist() if number != NO_REASON]
                found = [self.rows_decider.vocabulary[number] for number in numbers]
                self._said[key] = [{"code": it.code, "feature": it.feature, "text": it.text} for it in found]
        return [self._said[key] for key in keys]


async def encoded(answered: dict[str, Any]) -> bytes:
    """An answer of `predictions` and more as JSON, in slices."""
    predictions = answered["predictions"]
    parts = []
    for start in range(0, len(predictions), ROWS_ENCODED):
        parts.append(to_json(predictions[start : start + ROWS_ENCODED])[1:-1])
        await asyncio.sleep(0)
    rest = to_json({name: value for name, value in answered.items() if name != "predictions"})
    return b'{"predictions":[%b],%b' % (b",".join(parts), rest[1:])
