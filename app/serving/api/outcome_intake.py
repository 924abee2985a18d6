"""POST /outcomes: what became of decisions, as a lender's own system says, kept as links of the record."""

import asyncio
import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.contract.contract import Contract
from app.errors import OutcomesInvalid, RecordUnavailable
from app.serving.api.openapi import body, problems
from app.serving.api.outcome_types import OutcomesAnswer, OutcomesRequest
from app.serving.api.reading import Reader
from app.serving.api.schema import FieldError
from app.serving.http.media import require_json
from app.serving.http.messages import NO_STORE, answer_of, header_values, response_of
from app.serving.http.problems import problem, unavailable
from app.settings import Settings

MOST_ERRORS = 20
NAME, PLACE = "POST /outcomes", "outcome"
NO_RECORD = "outcomes are not kept: audit.enabled is false"
AWAY = "the database of the decisions does not answer; nothing was taken, ask again"
NO_NAME = "who says what became of a loan has to be known: this needs API keys, which callers.file names"

log = logging.getLogger(__name__)


def add_outcomes(app: FastAPI, settings: Settings, reader: Reader) -> None:
    """The route. One request at a time: all of them write to one database."""
    turn = asyncio.Lock()

    @app.post(
        "/outcomes",
        operation_id="outcomes",
        summary="Say what became of decisions",
        tags=["decisions"],
        response_model=OutcomesAnswer,
        responses=problems(400, 404, 408, 413, 415, 422, 500, 503),
        openapi_extra=body("OutcomesRequest", reader.types),
    )
    async def outcomes(request: Request) -> Response:
        require_json(header_values(request.headers.raw))
        caller = request.scope["caller"]
        if not settings.audit.enabled:
            return response_of(problem(404, NO_RECORD))
        if caller is None:
            return response_of(problem(404, NO_NAME))
        try:
            asked = OutcomesRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return response_of(_invalid(error))
        try:
            async with turn:
                loaded = await asyncio.to_thread(_load, settings, reader.contract, asked, caller)
        except OutcomesInvalid as error:
            return response_of(problem(422, str(error)))
        except RecordUnavailable as error:
            log.warning("outcomes cannot be kept", extra={"reason": str(error)})
            return response_of(unavailable(AWAY))
        return response_of(answer_of(200, [NO_STORE], json.dumps(loaded).encode()))


def _load(settings: Settings, contract: Contract, asked: OutcomesRequest, caller: str) -> dict[str, Any]:
    # Loaded with the first request that needs the database's libraries, which most pods never get.
    from app.audit.signing import signer_of
    from app.audit.store.lookup import store_of
    from app.outcomes.given import Faults, given_of
    from app.outcomes.loading import load_outcomes

    faults = Faults(NAME, PLACE)
    rows = [{name: "" if value is None else str(value) for name, value in it} for it in asked.outcomes]
    given = [it for at, row in enumerate(rows, 1) if (it := given_of(at, row, contract, faults)) is not None]
    faults.refuse()
    store = store_of(settings.audit.database_uri)
    return load_outcomes(store, given, NAME, caller, signer_of(settings.audit), lambda _: None, PLACE).to_json()


def _invalid(error: ValidationError) -> Any:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [FieldError(pointer="".join(f"/{it}" for it in each["loc"]), detail=each["msg"]) for each in found]
    return problem(422, "the body is no list of outcomes; errors names each place", errors=told[:MOST_ERRORS])
