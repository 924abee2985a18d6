"""Requests and answers as plain values, whoever reads and sends them: the server's protocol, or ASGI."""

from collections.abc import Mapping
from typing import TypeAlias

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Send

Headers: TypeAlias = list[tuple[bytes, bytes]]
"""Names, in lower case, and values, in their order."""

HeaderValues: TypeAlias = Mapping[bytes, bytes]
"""The headers of a request by name; of several of one name the first."""

Answered: TypeAlias = tuple[int, Headers, bytes]
"""Status, headers and body."""

JSON = b"application/json"

NO_STORE = (b"cache-control", b"no-store")
"""Of what is told about a person, which nobody between here and the client is to keep."""


def header_values(headers: Headers) -> HeaderValues:
    """A request's headers by name."""
    values = dict(headers)
    return values if len(values) == len(headers) else dict(reversed(headers))


def answer_of(status: int, headers: Headers, body: bytes, media_type: bytes = JSON) -> Answered:
    """An answer with a body of that type. headers: those beside the two that describe the body."""
    described = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type)]
    return status, headers + described, body


def response_of(answer: Answered, background: BackgroundTask | None = None) -> Response:
    """The same for a route to return."""
    status, headers, body = answer
    response = Response(body, status, background=background)
    response.raw_headers = headers
    return response


async def send_answer(answer: Answered, send: Send) -> None:
    """The same as ASGI messages."""
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
