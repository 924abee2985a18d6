"""X-Request-ID: one id for a request, in its answer, its log lines and its error; beside it the client's trace."""

import re
from contextvars import ContextVar, Token

from app.ids import Ids
from app.serving.http.messages import HeaderValues
from app.serving.http.tracing import Trace

HEADER = b"x-request-id"

# What may enter the logs and come back in a header without a second thought.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# In the order of time, so that a database which finds decisions by them writes where it wrote last.
_ids = Ids()
_request: ContextVar[tuple[str, Trace | None]] = ContextVar("request", default=("", None))


def current_request_id() -> str:
    """Id of the request that this code runs for, or an empty string."""
    return _request.get()[0]


def current_trace_id() -> str | None:
    """Of the trace that the client named for that request."""
    trace = _request.get()[1]
    return None if trace is None else trace.trace_id


def request_id_of(headers: HeaderValues) -> str:
    """The client's id when it is sane, a new one otherwise."""
    given = headers.get(HEADER, b"")
    return given.decode() if SANE.fullmatch(given) else _ids.next()


def enter_request(request_id: str, trace: Trace | None) -> Token[tuple[str, Trace | None]]:
    """What follows runs for that request, until leave_request."""
    return _request.set((request_id, trace))


def leave_request(token: Token[tuple[str, Trace | None]]) -> None:
    _request.reset(token)
