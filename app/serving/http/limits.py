"""The largest bodies that are read, and the longest pause: an applicant needs less than 1 KiB, 10 000 rows 4 MiB."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving.http.problems import problem

KIB = 1024
MIB = 1024 * KIB

DEFAULT_BYTES = 64 * KIB
BYTES_OF_PATH = {"/predict/batch": 4 * MIB}

READ_SECONDS = 10.0
"""Between two pieces of a body: below the time that a stopping server gives to requests under way."""


class BodyLimits:
    """ASGI middleware: a body over its path's limit is refused by its Content-Length, or else while it is read;
    one that stops coming is given up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = BYTES_OF_PATH.get(scope["path"], DEFAULT_BYTES)
        too_large = f"the body may have at most {limit // KIB} KiB"
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > limit:
            return await problem(413, too_large)(scope, receive, send)
        received, complete = 0, False

        async def counted() -> Message:
            nonlocal received, complete
            message = await (receive() if complete else in_time(receive))
            complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, too_large)
            return message

        await self.app(scope, counted, send)


def here(receive: Receive) -> Message | None:
    """The next piece of a body when there is one already, without waiting."""
    coming = receive().__await__()
    try:
        next(coming)
    except StopIteration as received:
        return received.value  # type: ignore[no-any-return]
    coming.close()
    return None


async def in_time(receive: Receive) -> Message:
    """The next piece of a body. Raises 408 when it does not come."""
    # Most bodies are here already: they need no timer, which would cost more than all of the rest of reading them.
    if (message := here(receive)) is not None:
        return message
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, f"nothing more of the body came for {READ_SECONDS:g} s") from None
