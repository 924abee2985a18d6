"""From wire vectors to answers: the meaning of /predict, without HTTP."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from app.scoring.policy import decide
from app.serving.holder import Serving

SLICE_SECONDS = 0.005
"""Longest time that a batch keeps other requests waiting."""


def decide_row(serving: Serving, vector: list[float]) -> dict[str, Any]:
    """Decide on one applicant, and count it."""
    probability = serving.model.score(vector)
    decision = decide(probability, serving.threshold)
    out_of_range = serving.model.out_of_range(vector)
    serving.metrics.observe(vector, probability, decision, out_of_range)
    return {"probability": probability, "decision": decision, "out_of_range": out_of_range}


def answer(serving: Serving, vector: list[float]) -> dict[str, Any]:
    """As app.serving.schema.PredictAnswer."""
    row = decide_row(serving, vector)
    return {
        "probability": row["probability"],
        "decision": row["decision"],
        **_served_by(serving),
        "out_of_range": row["out_of_range"],
    }


async def answer_batch(serving: Serving, vectors: Iterable[list[float]]) -> dict[str, Any]:
    """As app.serving.schema.BatchAnswer.

    In slices between which the loop serves others. A thread would not help: scoring is Python code, and the
    two would take turns at the interpreter's lock anyway.
    """
    predictions = []
    slice_ends = perf_counter() + SLICE_SECONDS
    for vector in vectors:
        predictions.append(decide_row(serving, vector))
        if perf_counter() >= slice_ends:
            await asyncio.sleep(0)
            slice_ends = perf_counter() + SLICE_SECONDS
    return {"predictions": predictions, **_served_by(serving)}


def _served_by(serving: Serving) -> dict[str, Any]:
    return {
        "threshold": serving.threshold,
        "model_uri": serving.uri,
        "model_version": serving.model.identity.version,
    }
