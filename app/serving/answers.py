"""From wire vectors to answers: the meaning of /predict, without HTTP."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from app.serving.batching import SLICE_SECONDS, decide_large
from app.serving.holder import Serving


def decide_row(serving: Serving, vector: list[float]) -> dict[str, Any]:
    """Decide on one applicant, and count it."""
    decision = serving.decider.decide(vector)
    out_of_range = serving.model.out_of_range(vector)
    serving.metrics.observe(vector, decision, out_of_range)
    return {
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
        "out_of_range": out_of_range,
    }


def answer(serving: Serving, vector: list[float]) -> dict[str, Any]:
    """As app.serving.schema.PredictAnswer."""
    row = decide_row(serving, vector)
    out_of_range = row.pop("out_of_range")
    return {**row, **_served_by(serving), "out_of_range": out_of_range}


async def answer_batch(serving: Serving, vectors: Sequence[list[float]]) -> dict[str, Any]:
    """As app.serving.schema.BatchAnswer.

    In slices between which the loop serves others. A thread would not help: scoring is Python code, and the
    two would take turns at the interpreter's lock anyway.
    """
    predictions = await decide_large(serving, vectors)
    if predictions is None:
        predictions = await _one_by_one(serving, vectors)
    return {"predictions": predictions, **_served_by(serving)}


async def _one_by_one(serving: Serving, vectors: Sequence[list[float]]) -> list[dict[str, Any]]:
    predictions = []
    slice_ends = perf_counter() + SLICE_SECONDS
    for vector in vectors:
        predictions.append(decide_row(serving, vector))
        if perf_counter() >= slice_ends:
            await asyncio.sleep(0)
            slice_ends = perf_counter() + SLICE_SECONDS
    return predictions


def _served_by(serving: Serving) -> dict[str, Any]:
    return {
        "threshold": serving.policy.threshold,
        "policy_version": serving.policy.version,
        "model_uri": serving.uri,
        "model_version": serving.model.identity.version,
    }
