"""From wire vectors to answers: the meaning of /predict, without HTTP."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from pydantic_core import to_json

from app.audit.chain import Entry
from app.scoring.decider import Decision
from app.serving.api.batches import SLICE_SECONDS, decide_large
from app.serving.live.holder import Serving
from app.serving.record.recorder import Asked, Recorder


def answer(
    serving: Serving, vector: list[float], recorder: Recorder | None, asked: Asked
) -> tuple[dict[str, Any], bytes]:
    """As app.serving.api.schema.PredictAnswer, and that as JSON; raises JournalFailed.

    recorder: None where decisions are not kept.
    """
    decision = serving.decider.decide(vector)
    row = row_of(serving, vector, decision)
    if recorder is not None:
        entry = recorder.entry(serving, asked, vector, row)
        if recorder.keep(serving.policy, [entry]):
            row["decision_id"] = entry.key
    # Only what will be answered is counted.
    serving.metrics.observe(vector, decision, row["out_of_range"])
    answered = row | serving.named
    return answered, to_json(answered)


async def answer_batch(
    serving: Serving, vectors: Sequence[list[float]], recorder: Recorder | None, asked: Asked
) -> dict[str, Any]:
    """As app.serving.api.schema.BatchAnswer; raises JournalFailed.

    In slices between which the loop serves others. A thread would not help: scoring is Python code, and the
    two would take turns at the interpreter's lock anyway.
    """
    large = await decide_large(serving, vectors)
    decisions = [] if large is not None else await _one_by_one(serving, vectors)
    rows = (
        large.predictions
        if large is not None
        else [row_of(serving, *it) for it in zip(vectors, decisions, strict=True)]
    )
    if recorder is not None:
        await _keep(serving, vectors, rows, recorder, asked)
    if large is not None:
        large.count()
    for vector, decision, row in zip(vectors, decisions, rows, strict=False):
        serving.metrics.observe(vector, decision, row["out_of_range"])
    return {"predictions": rows} | serving.named


async def _one_by_one(serving: Serving, vectors: Sequence[list[float]]) -> list[Decision]:
    turns = _Turns()
    decisions = []
    for vector in vectors:
        decisions.append(serving.decider.decide(vector))
        await turns.give()
    return decisions


async def _keep(
    serving: Serving, vectors: Sequence[list[float]], rows: list[dict[str, Any]], recorder: Recorder, asked: Asked
) -> None:
    """All of them or none; those that are kept get their ids."""
    turns = _Turns()
    entries: list[Entry] = []
    for index, (vector, row) in enumerate(zip(vectors, rows, strict=True)):
        entries.append(recorder.entry(serving, asked, vector, row, index))
        await turns.give()
    if recorder.keep(serving.policy, entries):
        for row, entry in zip(rows, entries, strict=True):
            row["decision_id"] = entry.key


def row_of(serving: Serving, vector: list[float], decision: Decision) -> dict[str, Any]:
    """As app.serving.api.schema.RowDecision, before it is kept."""
    return {
        "decision_id": None,
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
        "out_of_range": serving.model.out_of_range(vector),
    }


class _Turns:
    """Gives the loop to others once a slice has passed."""

    def __init__(self) -> None:
        self._ends = perf_counter() + SLICE_SECONDS

    async def give(self) -> None:
        if perf_counter() >= self._ends:
            await asyncio.sleep(0)
            self._ends = perf_counter() + SLICE_SECONDS
