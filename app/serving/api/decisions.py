"""GET /decisions: decisions as the record holds them, one by its id or those on an application."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from app.errors import CursorInvalid, RecordUnavailable
from app.serving.api.inputs import APPLICATION_ID_PATTERN
from app.serving.api.openapi import problems
from app.serving.api.reading import Reader
from app.serving.api.records import EXAMPLE, record_of, records_of, told_of
from app.serving.http.messages import NO_STORE, Answered, answer_of, response_of
from app.serving.http.problems import NO_DECISION, problem, unavailable
from app.settings import Settings

# Written down here, because of a parameter that FastAPI reads it would say that it can be refused with 422.
ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "decision_id of an answer.",
    "schema": {"type": "string", "examples": [EXAMPLE]},
}
APPLICATION = {
    "name": "application_id",
    "in": "query",
    "required": True,
    "description": "As it was sent with the application.",
    "schema": {"type": "string", "pattern": APPLICATION_ID_PATTERN, "examples": ["A-2026-001734"]},
}
CURSOR = {
    "name": "cursor",
    "in": "query",
    "required": False,
    "description": "Of the page before.",
    "schema": {"type": "string"},
}
ASK_SO = "ask for the decisions on one application, as in /decisions?application_id=A-1, perhaps with a cursor"
BAD_CURSOR = "cursor is none that an answer gave; leave it out to begin anew"

PAGE = 50
"""Decisions in one answer."""

MOST_READING = 4
"""Each keeps a thread waiting while the database does not answer, and others need threads too."""

Found = dict[str, Any]

log = logging.getLogger(__name__)


class RecordReading:
    """Asks the record's database from threads of its own, a few at a time."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._reading = asyncio.Semaphore(MOST_READING)

    async def answer(self, find: Callable[[], Found | None], tell: Callable[[Found], Found]) -> Response:
        """What was found, told as JSON, or the refusal."""
        if not self._enabled:
            return response_of(problem(404, "decisions are not kept: audit.enabled is false"))
        if self._reading.locked():
            return response_of(unavailable("too many decisions are being read; ask again"))
        try:
            async with self._reading:
                found = await asyncio.to_thread(find)
        except RecordUnavailable as error:
            log.warning("a decision cannot be read", extra={"reason": str(error)})
            detail = "the database of the decisions does not answer; nothing is lost, ask again"
            return response_of(unavailable(detail))
        except CursorInvalid:
            return response_of(problem(422, BAD_CURSOR))
        return response_of(problem(404, NO_DECISION) if found is None else _json(tell(found)))


def add_records(app: FastAPI, settings: Settings, reader: Reader) -> None:
    """The routes that read the record."""
    reading = RecordReading(settings.audit.enabled)
    names = reader.contract.asked_names
    record = record_of(reader.types)

    @app.get(
        "/decisions/{id}",
        operation_id="decision",
        summary="A decision that was made, as it is kept",
        tags=["decisions"],
        response_model=record,
        responses=problems(404, 500, 503),
        openapi_extra={"parameters": [ID]},
    )
    async def decision(request: Request) -> Response:
        key = request.path_params["id"]

        def find() -> Found | None:
            # Loaded with the first request that needs the database's libraries, which most pods never get.
            from app.audit.store.lookup import find_decision

            return find_decision(settings, key)

        return await reading.answer(find, lambda found: told_of(found, names))

    @app.get(
        "/decisions",
        operation_id="decisions",
        summary="The decisions on an application, newest first",
        tags=["decisions"],
        response_model=records_of(record),
        responses=problems(404, 422, 500, 503),
        openapi_extra={"parameters": [APPLICATION, CURSOR]},
    )
    async def decisions(request: Request) -> Response:
        asked = request.query_params
        application_id, cursor = asked.get("application_id", ""), asked.get("cursor")
        if not re.fullmatch(APPLICATION_ID_PATTERN, application_id) or asked.keys() - {"application_id", "cursor"}:
            return response_of(problem(422, ASK_SO))

        def find() -> Found:
            from app.audit.store.finding import Criteria, find
            from app.audit.store.lookup import contents, store_of

            store = store_of(settings.audit.database_uri)
            page = find(store, Criteria(application_id), PAGE, cursor)
            return {"decisions": contents(store, page.decisions), "cursor": page.cursor}

        def tell(found: Found) -> Found:
            return {**found, "decisions": [told_of(each, names) for each in found["decisions"]]}

        return await reading.answer(find, tell)


def _json(content: Found) -> Answered:
    return answer_of(200, [NO_STORE], json.dumps(content).encode())
