"""GET /decisions/{id}: one decision as the record holds it."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from pydantic import Field, create_model
from starlette.responses import Response

from app.errors import RecordUnavailable
from app.scoring.policy import Verdict
from app.serving.api.inputs import RequestTypes
from app.serving.api.openapi import problems
from app.serving.api.reading import Reader
from app.serving.api.schema import Answer, Reason
from app.serving.http.messages import answer_of, response_of
from app.serving.http.problems import NO_DECISION, problem, unavailable
from app.settings import Settings

EXAMPLE = "01a0c450-6c00-7000-80b6-5093f2a50944"
MODEL_EXAMPLE = {
    "name": "credit-default-model",
    "version": "3",
    "uri": "models:/credit-default-model/3",
    "digest": "9f86",
}

# Written down here, because of a parameter that FastAPI reads it would say that it can be refused with 422.
PARAMETER = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "decision_id of an answer.",
    "schema": {"type": "string", "examples": [EXAMPLE]},
}

MOST_READING = 4
"""Each keeps a thread waiting while the database does not answer, and others need threads too."""

log = logging.getLogger(__name__)


class RecordedModel(Answer):
    """A version of a model, as it was when it scored."""

    name: str = Field(description="Registered name.", examples=["credit-default-model"])
    version: str = Field(description="Its version.", examples=["3"])
    uri: str = Field(description="Names this version for good.", examples=["models:/credit-default-model/3"])
    digest: str = Field(description="SHA-256 of the model's files.", examples=["9f86d081"])


class RecordedScore(Answer):
    """What a challenger gave."""

    model: RecordedModel = Field(description="The challenger.", examples=[MODEL_EXAMPLE])
    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0139])


class Record(Answer):
    """A decision, with all that it followed from."""

    decision_id: str = Field(description="As it was answered.", examples=[EXAMPLE])
    at: str = Field(description="When it was made, UTC.", examples=["2026-01-31T12:00:00.000001Z"])
    request_id: str = Field(description="X-Request-ID of its request.", examples=["c0ffee-1"])
    caller: str | None = Field(description="Who asked; null when nobody has to say.", examples=["branch-12"])
    row: int | None = Field(description="Its row, counted from 0, when it was one of a batch.", examples=[None])
    features: Any
    model: RecordedModel = Field(description="What scored.", examples=[MODEL_EXAMPLE])
    policy_version: str = Field(description="The policy that it was made under.", examples=["abdb2713aa05"])
    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0142])
    decision: Verdict = Field(description="As it was answered.", examples=["ACCEPT"])
    reasons: list[Reason] = Field(description="As they were answered.", examples=[[]])
    challenger: RecordedScore | None = Field(
        description="The score of a challenger; null where there was none.", examples=[None]
    )
    writer: str = Field(description="The chain of records that it is a link of.", examples=[EXAMPLE])
    sequence: int = Field(ge=1, description="Its place in the chain.", examples=[17])
    hash: str = Field(description="SHA-256 of the record's content.", examples=["9f86d081"])


COPIED = ("at", "request_id", "caller", "row", "model", "policy_version", "probability", "decision", "reasons")
CHAIN = ("writer", "sequence", "hash")


def record_of(types: RequestTypes) -> type[Record]:
    """The record whose features are the fields of a contract."""
    features = Field(description="The fields as received.", examples=[types.applicant_example])
    return create_model("Record", __base__=Record, __doc__=Record.__doc__, features=(types.applicant, features))


def _answer(found: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """As Record, from what the record gave. names: of the fields; a decision under another contract has numbers."""
    values = found["features"]
    named = names if len(names) == len(values) else [str(place) for place in range(1, len(values) + 1)]
    copied = {name: found[name] for name in (*COPIED, *CHAIN, "challenger")}
    return {"decision_id": found["key"], "features": dict(zip(named, values, strict=True)), **copied}


def add_records(app: FastAPI, settings: Settings, reader: Reader) -> None:
    """The route that reads the record."""
    reading = asyncio.Semaphore(MOST_READING)

    @app.get(
        "/decisions/{id}",
        operation_id="decision",
        summary="A decision that was made, as it is kept",
        tags=["decisions"],
        response_model=record_of(reader.types),
        responses=problems(404, 500, 503),
        openapi_extra={"parameters": [PARAMETER]},
    )
    async def decision(request: Request) -> Response:
        if not settings.audit.enabled:
            return response_of(problem(404, "decisions are not kept: audit.enabled is false"))
        if reading.locked():
            return response_of(unavailable("too many decisions are being read; ask again"))
        # Loaded with the first request that needs the database's libraries, which most pods never get.
        from app.audit.store.lookup import find_decision

        try:
            async with reading:
                found = await asyncio.to_thread(find_decision, settings, request.path_params["id"])
        except RecordUnavailable as error:
            log.warning("a decision cannot be read", extra={"reason": str(error)})
            detail = "the database of the decisions does not answer; nothing is lost, ask again"
            return response_of(unavailable(detail))
        if found is None:
            return response_of(problem(404, NO_DECISION))
        return response_of(answer_of(200, [], json.dumps(_answer(found, reader.contract.asked_names)).encode()))
