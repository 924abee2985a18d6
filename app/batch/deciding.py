"""From the rows of a chunk to the columns of its decisions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from app.batch.chunks import Chunk
from app.errors import NotCompilable
from app.scoring.decider import Decider
from app.scoring.rows import NO_REASON, RowsDecider
from app.tables.rules import Flags, Floats

VERDICTS = ["ACCEPT", "REJECT"]
CODES = pa.list_(pa.string())
BLOCK_ROWS = 1 << 13
"""Decided on together: what a row needs meanwhile is a hundred times its own size."""

Numbers = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Decided:
    """One chunk."""

    columns: dict[str, pa.Array]
    """Probability, decision, the reasons' codes where they were asked for, and the versions that decided."""
    refused: int
    """Rows."""


Decide = Callable[[Chunk], Decided]


def deciding(decider: Decider, with_reasons: bool) -> Decide:
    """At once where the model has a form for it, else row by row; the decisions are the same to the last bit."""
    try:
        rows_decider = RowsDecider(decider)
    except NotCompilable:
        return lambda chunk: _one_by_one(decider, chunk, with_reasons)
    vocabulary = rows_decider.vocabulary
    codes = pa.array([vocabulary[at].code if at in vocabulary else "" for at in range(max(vocabulary) + 1)])

    def decide(chunk: Chunk) -> Decided:
        blocks = [chunk.rows[start : start + BLOCK_ROWS] for start in range(0, len(chunk.rows), BLOCK_ROWS)]
        made = [rows_decider.decide(block, with_reasons) for block in blocks]
        probabilities = np.concatenate([decisions.probabilities for decisions in made])
        refused = np.concatenate([decisions.refused for decisions in made])
        numbers = np.concatenate([decisions.reasons for decisions in made])
        return _decided(decider, probabilities, refused, _lists(numbers, refused, codes) if with_reasons else None)

    return decide


def _one_by_one(decider: Decider, chunk: Chunk, with_reasons: bool) -> Decided:
    made = [decider.decide(row) for row in chunk.rows.tolist()]
    refused = np.array([decision.verdict == "REJECT" for decision in made])
    codes = [[reason.code for reason in decision.reasons] for decision in made]
    probabilities = np.array([decision.probability for decision in made])
    return _decided(decider, probabilities, refused, pa.array(codes, CODES) if with_reasons else None)


def _lists(numbers: Numbers, refused: Flags, codes: pa.Array) -> pa.Array:
    """numbers: of the refused rows only, as in `app.scoring.rows.Decisions`."""
    given = numbers != NO_REASON
    lengths = np.zeros(len(refused), np.int32)
    lengths[refused] = given.sum(axis=1)
    ends = np.concatenate([[0], lengths.cumsum(dtype=np.int32)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), codes.take(pa.array(numbers[given])))


def _decided(decider: Decider, probabilities: Floats, refused: Flags, codes: pa.Array | None) -> Decided:
    count = len(refused)
    columns = {
        "probability": pa.array(probabilities),
        "decision": pa.DictionaryArray.from_arrays(pa.array(refused.astype(np.int8)), VERDICTS),
        **({} if codes is None else {"reasons": codes}),
        "model_version": _repeated(decider.model.identity.version, count),
        "policy_version": _repeated(decider.policy.version, count),
    }
    return Decided(columns, int(refused.sum()))


def _repeated(word: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), [word])
