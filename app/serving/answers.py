"""From wire vectors to answers: the meaning of /predict, without HTTP."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from app.audit.record import Entry
from app.scoring.decider import Decision
from app.serving.holder import Serving
from app.serving.recording import Asked, Recorder

SLICE_SECONDS = 0.005
"""Longest time that a batch keeps other requests waiting."""


def answer(serving: Serving, vector: list[float], recorder: Recorder | None, asked: Asked) -> dict[str, Any]:
    """As app.serving.schema.PredictAnswer; raises JournalFailed.

    recorder: None where decisions are not kept.
    """
    decision = serving.decider.decide(vector)
    decision_id = None
    if recorder is not None:
        entry = recorder.entry(serving, asked, vector, decision)
        if recorder.keep(serving.policy, [entry]):
            decision_id = entry.key
    row = _row(serving, vector, decision, decision_id)
    out_of_range = row.pop("out_of_range")
    return {**row, **_served_by(serving), "out_of_range": out_of_range}


async def answer_batch(
    serving: Serving, vectors: Sequence[list[float]], recorder: Recorder | None, asked: Asked
) -> dict[str, Any]:
    """As app.serving.schema.BatchAnswer; raises JournalFailed.

    In slices between which the loop serves others. A thread would not help: scoring is Python code, and the
    two would take turns at the interpreter's lock anyway.
    """
    turns = _Turns()
    decisions: list[Decision] = []
    entries: list[Entry] = []
    for index, vector in enumerate(vectors):
        decision = serving.decider.decide(vector)
        decisions.append(decision)
        if recorder is not None:
            entries.append(recorder.entry(serving, asked, vector, decision, index))
        await turns.give()
    kept = recorder is not None and recorder.keep(serving.policy, entries)
    predictions = []
    for index, (vector, decision) in enumerate(zip(vectors, decisions, strict=True)):
        predictions.append(_row(serving, vector, decision, entries[index].key if kept else None))
        await turns.give()
    return {"predictions": predictions, **_served_by(serving)}


def _row(serving: Serving, vector: list[float], decision: Decision, decision_id: str | None) -> dict[str, Any]:
    """A decision that will be answered: it is counted here."""
    out_of_range = serving.model.out_of_range(vector)
    serving.metrics.observe(vector, decision, out_of_range)
    return {
        "decision_id": decision_id,
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
        "out_of_range": out_of_range,
    }


def _served_by(serving: Serving) -> dict[str, Any]:
    return {
        "threshold": serving.policy.threshold,
        "policy_version": serving.policy.version,
        "model_uri": serving.uri,
        "model_version": serving.model.identity.version,
    }


class _Turns:
    """Gives the loop to others once a slice has passed."""

    def __init__(self) -> None:
        self._ends = perf_counter() + SLICE_SECONDS

    async def give(self) -> None:
        if perf_counter() >= self._ends:
            await asyncio.sleep(0)
            self._ends = perf_counter() + SLICE_SECONDS
