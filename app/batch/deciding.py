"""From the rows of a chunk to the columns of its decisions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from app.batch.chunks import Chunk
from app.errors import NotCompilable
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.scoring.policy import VERDICTS
from app.scoring.rows import ACCEPTED, NO_REASON, REJECTED, REVIEWED, RowsDecider, out_of_range
from app.tables.rules import Floats

CODES = pa.list_(pa.string())
BLOCK_ROWS = 1 << 13
"""Decided on together: what a row needs meanwhile is a hundred times its own size."""

Numbers = npt.NDArray[np.int16]
Verdicts = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Decided:
    """One chunk."""

    columns: dict[str, pa.Array]
    """Those of `columns_of`."""
    refused: int
    """Rows."""
    to_review: int


def columns_of(with_reasons: bool) -> list[str]:
    """What there is about each row, in order; reasons are codes, out_of_range is names of fields."""
    reasons = ["reasons"] if with_reasons else []
    return ["probability", "decision", *reasons, "out_of_range", "model_version", "policy_version"]


Decide = Callable[[Chunk], Decided]


def deciding(decider: Decider, with_reasons: bool) -> Decide:
    """At once where the model has a form for it, else row by row; the decisions are the same to the last bit."""
    try:
        rows_decider = RowsDecider(decider)
    except NotCompilable:
        return lambda chunk: _one_by_one(decider, chunk, with_reasons)
    codes = pa.array([reason.code for reason in rows_decider.vocabulary])

    def decide(chunk: Chunk) -> Decided:
        blocks = [chunk.rows[start : start + BLOCK_ROWS] for start in range(0, len(chunk.rows), BLOCK_ROWS)]
        made = [rows_decider.decide(block, with_reasons) for block in blocks]
        probabilities = np.concatenate([decisions.probabilities for decisions in made])
        verdicts = np.concatenate([decisions.verdicts for decisions in made])
        numbers = np.concatenate([decisions.reasons for decisions in made])
        reasons = _reasons(numbers, verdicts, codes) if with_reasons else None
        return _decided(decider, chunk, probabilities, verdicts, reasons)

    return decide


def _one_by_one(decider: Decider, chunk: Chunk, with_reasons: bool) -> Decided:
    made = [decider.decide(row) for row in chunk.rows.tolist()]
    verdicts = np.array([VERDICTS.index(decision.verdict) for decision in made], np.int8)
    codes = [[reason.code for reason in decision.reasons] for decision in made]
    probabilities = np.array([decision.probability for decision in made])
    return _decided(decider, chunk, probabilities, verdicts, pa.array(codes, CODES) if with_reasons else None)


def _reasons(numbers: Numbers, verdicts: Verdicts, codes: pa.Array) -> pa.Array:
    """numbers: of the rows that are no ACCEPT, as in `app.scoring.rows.Decisions`."""
    given = numbers != NO_REASON
    lengths = np.zeros(len(verdicts), np.int32)
    lengths[verdicts != ACCEPTED] = given.sum(axis=1)
    return _lists(lengths, codes.take(pa.array(numbers[given])))


def _names_out_of_range(model: ScoringModel, rows: Floats) -> pa.Array:
    beyond = out_of_range(model, rows)
    names = pa.array([name for _, name, _, _ in model.ranges], pa.string())
    strange = np.flatnonzero(beyond.any(axis=1))
    lengths = np.zeros(len(rows), np.int32)
    lengths[strange] = beyond[strange].sum(axis=1)
    return _lists(lengths, names.take(pa.array(beyond[strange].nonzero()[1])))


def _lists(lengths: npt.NDArray[np.int32], values: pa.Array) -> pa.Array:
    """One list a row, of as many of the values, which are all of them in order."""
    ends = np.concatenate([[0], lengths.cumsum(dtype=np.int32)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), values)


def _decided(
    decider: Decider, chunk: Chunk, probabilities: Floats, verdicts: Verdicts, reasons: pa.Array | None
) -> Decided:
    count = len(verdicts)
    found = {
        "probability": pa.array(probabilities),
        "decision": pa.DictionaryArray.from_arrays(pa.array(verdicts), list(VERDICTS)),
        "reasons": reasons,
        "out_of_range": _names_out_of_range(decider.model, chunk.rows),
        "model_version": _repeated(decider.model.identity.version, count),
        "policy_version": _repeated(decider.policy.version, count),
    }
    columns = {name: found[name] for name in columns_of(reasons is not None)}
    return Decided(columns, int((verdicts == REJECTED).sum()), int((verdicts == REVIEWED).sum()))


def _repeated(word: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), [word])
