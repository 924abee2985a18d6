"""How much of a body is read, and how long the next piece of it is waited for."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from app.serving.http.messages import Answered, HeaderValues
from app.serving.http.paths import KIB, Endpoint
from app.serving.http.problems import problem

READ_SECONDS = 10.0
"""Between two pieces of a body: below the time that a stopping server gives to requests under way."""


def refuse_declared(endpoint: Endpoint, headers: HeaderValues) -> Answered | None:
    """The refusal of a body whose Content-Length is over its path's limit, else None."""
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > endpoint.most_body_bytes:
        return problem(413, _too_large(endpoint))
    return None


def limited(endpoint: Endpoint, receive: Receive) -> Receive:
    """What gives the pieces of a body, for as long as they come and are within its path's limit.

    Raises HTTPException: 413 beyond the limit, 408 when the next piece does not come.
    """
    received, complete = 0, False

    async def receive_limited() -> Message:
        nonlocal received, complete
        # What follows a body is that the client leaves, which may take as long as it wants.
        message = await (receive() if complete else _in_time(receive))
        complete = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > endpoint.most_body_bytes:
            raise HTTPException(413, _too_large(endpoint))
        return message

    return receive_limited


async def _in_time(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, f"nothing more of the body came for {READ_SECONDS:g} s") from None


def _too_large(endpoint: Endpoint) -> str:
    return f"the body may have at most {endpoint.most_body_bytes // KIB} KiB"
