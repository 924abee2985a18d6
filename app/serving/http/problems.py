"""Errors as application/problem+json (RFC 9457), all of one shape."""

import json
import logging
import traceback
from collections.abc import Sequence
from enum import IntEnum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.errors import CreditError, JournalFailed
from app.serving.api.reading import BodyInvalid
from app.serving.api.schema import FieldError
from app.serving.http.messages import Answered, Headers, answer_of, response_of
from app.serving.http.request_ids import current_request_id
from app.serving.live.holder import NoModel

MEDIA_TYPE = b"application/problem+json"


class RetryAfter(IntEnum):
    """Seconds until it is worth asking again, by why a request is refused with 503."""

    UNAVAILABLE = 5
    """Something is away: a model, the journal, the database, or this server, which is stopping."""
    SHED = 1
    """Too many ask at this moment; a moment later, or at another server, they may not."""

    @property
    def header(self) -> tuple[bytes, bytes]:
        return b"retry-after", b"%d" % self


# Python renames these from release to release.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

TYPES = {
    400: "malformed",
    401: "no-api-key",
    403: "out-of-scope",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "under-way",
    413: "too-large",
    415: "media-type",
    422: "invalid",
    429: "over-limit",
    431: "header-too-large",
    500: "failed",
    503: "unavailable",
}
"""The last place of a problem's address, by its status; the page that is there tells more."""
OVERLOADED = "overloaded"
"""The other problem of status 503."""

# What Starlette says by itself is only the status in words; these say what to do.
DETAILS = {
    404: "there is nothing at this path; /docs lists what there is",
    405: "this path does not answer that method; the header Allow names those that it answers",
}

TOO_MANY = "too many requests are waiting; ask again, or another server"

NO_DECISION = (
    "the database holds no decision of this id; one that was just made arrives within seconds of its answer, as soon as"
    " the database can be reached"
)

log = logging.getLogger(__name__)


def title_of(status: int) -> str:
    """A status in words."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def type_of(status: int, name: str = "") -> str:
    """The address of a problem's page, at the server that has it. name: where it is not the status's own."""
    name = name or TYPES.get(status, "")
    return f"/problems/{name}" if name else "about:blank"


def problem_body(status: int, detail: str, name: str = "", **more: Any) -> bytes:
    """A problem as JSON. name: of its type, where it is not the status's own. more: what is told beside that."""
    told = {"type": type_of(status, name), "title": title_of(status), "status": status, "detail": detail}
    return json.dumps(told | more).encode()


def problem(
    status: int, detail: str, headers: Headers | None = None, errors: Sequence[FieldError] = (), name: str = ""
) -> Answered:
    """The answer to a request that went wrong, with the id of the one that this code runs for."""
    listed = {"errors": [error.model_dump() for error in errors]} if errors else {}
    body = problem_body(status, detail, name, request_id=current_request_id(), **listed)
    return answer_of(status, headers or [], body, MEDIA_TYPE)


def unavailable(detail: str) -> Answered:
    """The answer where something that a request needs is away."""
    return problem(503, detail, [RetryAfter.UNAVAILABLE.header])


def _of_http_exception(error: HTTPException) -> Answered:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (error.headers or {}).items()
    ]
    name = OVERLOADED if error.detail == TOO_MANY else ""
    return problem(error.status_code, DETAILS.get(error.status_code) or error.detail, headers, name=name)


def _of_body(error: BodyInvalid) -> Answered:
    detail = error.errors[0].detail
    if error.count > 1:
        detail += f"; {error.count} errors in all"
    return problem(422, detail, errors=error.errors)


def problem_of(error: Exception) -> Answered:
    """The answer to a request that ended with that error; one that nobody expected is logged."""
    match error:
        case HTTPException():
            return _of_http_exception(error)
        case BodyInvalid():
            return _of_body(error)
        case NoModel():
            return unavailable(f"no model is loaded: {error}")
        case JournalFailed():
            # Where and why is for the operator, who finds it in the log.
            return unavailable("decisions cannot be kept at the moment, so none is made; tell the service's operator")
        case ClientDisconnect():
            # Nobody reads this answer; it keeps a client that hung up from being counted as an error of ours.
            return problem(400, "the connection was closed before the body was complete")
        case _:
            log.error("request failed", extra={"error": described(error)})
            return problem(500, "the service failed to answer; tell its operator the request_id")


REFUSALS = (HTTPException, BodyInvalid, NoModel, JournalFailed, ClientDisconnect)
"""The errors that are expected."""


async def _handle(_: Request, error: Exception) -> Response:
    return response_of(problem_of(error))


def add_problem_handlers(app: FastAPI) -> None:
    """Let every refusal of the routes answer as a problem."""
    for kind in REFUSALS:
        app.add_exception_handler(kind, _handle)


def described(error: Exception) -> str:
    """The traceback of an error, without the texts of foreign errors: those may quote an applicant's data."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    text = f": {error}" if isinstance(error, CreditError) else ""
    return f"{frames}{type(error).__name__}{text}"
