"""Large batches: many rows at once, in slices between which the loop serves others."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from app.errors import NotCompilable
from app.features import POSITIONS
from app.scoring.decider import Decider
from app.scoring.rows import NO_REASON, Decisions, RowsDecider, out_of_range

if TYPE_CHECKING:
    from app.scoring.rows import Floats
    from app.serving.live.holder import Serving

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


async def decide_large(serving: "Serving", vectors: Sequence[list[float]]) -> "LargeBatch | None":
    """Each decided on as app.serving.api.answers.row_of would; None where it has to be row by row."""
    rows_decider = await serving.large_batches.rows_decider(serving.decider) if len(vectors) >= FEWEST_ROWS else None
    if rows_decider is None:
        return None
    import numpy as np

    # Reading a large body took a slice of its own.
    await asyncio.sleep(0)
    values = chain.from_iterable(vectors)
    rows = np.fromiter(values, np.float64, len(vectors) * len(POSITIONS)).reshape(len(vectors), -1)
    batch = LargeBatch(serving, rows_decider, rows)
    count = FIRST_ROWS
    while len(batch.predictions) < len(rows):
        started = perf_counter()
        batch.decide(count)
        count = next_count(count, perf_counter() - started)
        await asyncio.sleep(0)
    return batch


def next_count(count: int, took_seconds: float) -> int:
    """Rows of the next slice, after one of that many rows took that long."""
    if took_seconds > SLICE_SECONDS:
        return max(1, count // 2)
    return min(MOST_ROWS, 2 * count) if 2 * took_seconds < SLICE_SECONDS else count


@dataclass(slots=True)
class LargeBatch:
    """A batch of which the rows are decided on that `predictions` holds."""

    serving: "Serving"
    rows_decider: RowsDecider
    rows: "Floats"
    predictions: list[dict[str, Any]] = field(default_factory=list)
    _made: list[Decisions] = field(default_factory=list)
    _said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """The reasons of an answer by their numbers, as those of a row are held in one integer."""

    def decide(self, count: int) -> None:
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
                "decision": "REJECT" if refused else "ACCEPT",
                "reasons": next(reasons) if refused else [],
                "out_of_range": [],
            }
            for probability, refused in zip(made.probabilities, made.refused.tolist(), strict=True)
        ]
        beyond = out_of_range(self.serving.model, rows)
        names = [name for _, name, _, _ in self.serving.model.ranges]
        for row in np.flatnonzero(beyond.any(axis=1)).tolist():
            self.predictions[start + row]["out_of_range"] = [names[at] for at in np.flatnonzero(beyond[row]).tolist()]
        self._made.append(made)

    def count(self) -> None:
        """Count all of it: a slice at a time would cost as much as deciding."""
        import numpy as np

        reasons: Counter[str] = Counter()
        for made in self._made:
            reasons += self.rows_decider.count_reasons(made)
        self.serving.metrics.observe_rows(
            self.rows,
            [probability for made in self._made for probability in made.probabilities],
            np.concatenate([made.refused for made in self._made]),
            reasons,
            Counter(name for prediction in self.predictions for name in prediction["out_of_range"]),
        )

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
    rest = to_json({name: value for name, value in answered.items() if name != "predictions"})
    parts = [b'{"predictions":[']
    for start in range(0, len(predictions), ROWS_ENCODED):
        parts += (to_json(predictions[start : start + ROWS_ENCODED])[1:-1], b",")
        await asyncio.sleep(0)
    parts[-1] = b"],"
    parts.append(rest[1:])
    # One copy of what may be megabytes.
    return b"".join(parts)
