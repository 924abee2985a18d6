"""Errors as application/problem+json (RFC 9457), all of one shape."""

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import CreditError, JournalFailed
from app.serving.api.reading import BodyInvalid
from app.serving.api.schema import FieldError, Problem
from app.serving.http.request_ids import current_request_id

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# Python renames these from release to release.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# What Starlette says by itself is only the status in words; these say what to do.
DETAILS = {
    404: "there is nothing at this path; /docs lists what there is",
    405: "this path does not answer that method; the header Allow names those that it answers",
}

NO_DECISION = (
    "the database holds no decision of this id; one that was just made arrives within seconds of its answer, as soon as"
    " the database can be reached"
)

log = logging.getLogger(__name__)


class NoModel(Exception):
    """No model is loaded; the text says why."""


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, errors: Sequence[FieldError] = ()
) -> Response:
    """The answer to a request that went wrong."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail,
        request_id=current_request_id(),
        errors=list(errors) or None,
    )
    return Response(json.dumps(body.model_dump(exclude_none=True)), status, headers, MEDIA_TYPE)


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = DETAILS.get(error.status_code) or error.detail
    return problem(error.status_code, detail, error.headers)


async def _body_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, BodyInvalid)
    detail = error.errors[0].detail
    if error.count > 1:
        detail += f"; {error.count} errors in all"
    return problem(422, detail, errors=error.errors)


async def _no_model(_: Request, error: Exception) -> Response:
    return problem(503, f"no model is loaded: {error}", {"Retry-After": str(RETRY_AFTER_SECONDS)})


def not_kept() -> Response:
    """The answer where a decision cannot be kept. Where and why is for the operator, who finds it in the log."""
    detail = "decisions cannot be kept at the moment, so none is made; tell the service's operator"
    return problem(503, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _journal_failed(_: Request, error: Exception) -> Response:
    return not_kept()


async def _client_disconnect(_: Request, error: Exception) -> Response:
    # Nobody reads this answer; it keeps a caller who hung up from being counted as an error of ours.
    return problem(400, "the connection was closed before the body was complete")


def add_problem_handlers(app: FastAPI) -> None:
    """Let every refusal of the application answer as a problem."""
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(BodyInvalid, _body_invalid)
    app.add_exception_handler(NoModel, _no_model)
    app.add_exception_handler(JournalFailed, _journal_failed)
    app.add_exception_handler(ClientDisconnect, _client_disconnect)


class FailuresAsProblems:
    """ASGI middleware: what nobody caught is logged and answered with 500.

    Starlette has a handler of its own for that, outside of every middleware: its answer would carry no
    request id and would not be counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            answer = failure(error)
            if started:
                raise
            await answer(scope, receive, send)


def failure(error: Exception) -> Response:
    """The answer to a request that nobody expected to fail; why is for the log."""
    log.error("request failed", extra={"error": described(error)})
    return problem(500, "the service failed to answer; tell its operator the request_id")


def described(error: Exception) -> str:
    """The traceback of an error, without the texts of foreign errors: those may quote an applicant's data."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    text = f": {error}" if isinstance(error, CreditError) else ""
    return f"{frames}{type(error).__name__}{text}"
