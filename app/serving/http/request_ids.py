"""X-Request-ID: one id for a request, in its answer, its log lines and its error."""

import re
from contextvars import ContextVar, Token

from app.ids import RandomHex
from app.serving.http.messages import HeaderValues

HEADER = b"x-request-id"

# What may enter the logs and come back in a header without a second thought.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

_random = RandomHex()
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Id of the request that this code runs for, or an empty string."""
    return _request_id.get()


def request_id_of(headers: HeaderValues) -> str:
    """The client's id when it is sane, a new one otherwise."""
    given = headers.get(HEADER, b"")
    return given.decode() if SANE.fullmatch(given) else _random.take(32)


def enter_request(request_id: str) -> Token[str]:
    """What follows runs for that request, until leave_request."""
    return _request_id.set(request_id)


def leave_request(token: Token[str]) -> None:
    _request_id.reset(token)
