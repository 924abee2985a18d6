"""How much of a body is read, how long the next piece of it is waited for, and what becomes of the rest."""

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from app.serving.http.messages import Answered, HeaderValues
from app.serving.http.paths import KIB, MIB, Endpoint
from app.serving.http.problems import problem

READ_SECONDS = 10.0
"""Between two pieces of a body: below the time that a stopping server gives to requests under way."""

LINGER_SECONDS = 5.0
LINGER_BYTES = 16 * MIB
"""Of a body that nobody wants, after the answer."""


def refuse_declared(endpoint: Endpoint, headers: HeaderValues) -> Answered | None:
    """The refusal of a body whose Content-Length is over its path's limit, else None."""
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > endpoint.most_body_bytes:
        return problem(413, _too_large(endpoint))
    return None


class LimitedBody:
    """Gives the pieces of a body, for as long as they come and are within their path's limit.

    A call raises HTTPException: 413 beyond the limit, 408 when the next piece does not come.
    """

    def __init__(self, endpoint: Endpoint, headers: HeaderValues, receive: Receive) -> None:
        self._endpoint = endpoint
        self._receive = receive
        self._received = 0
        self._complete = False
        self.unread = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
        """Whether some of it may still be under way."""

    async def __call__(self) -> Message:
        # What follows a body is that the client leaves, which may take as long as it wants.
        message = await (self._receive() if self._complete else _in_time(self._receive))
        self.unread = message.get("more_body", False)
        self._complete = not self.unread
        self._received += len(message.get("body", b""))
        if self._received > self._endpoint.most_body_bytes:
            raise HTTPException(413, _too_large(self._endpoint))
        return message

    async def linger(self) -> None:
        """Read on and drop what comes, within LINGER_SECONDS and LINGER_BYTES.

        A connection that is closed with bytes unread is reset, and the client may lose the answer to that.
        """
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while self.unread and dropped <= LINGER_BYTES:
                    message = await self._receive()
                    self.unread = message.get("more_body", False)
                    dropped += len(message.get("body", b""))


async def _in_time(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, f"nothing more of the body came for {READ_SECONDS:g} s") from None


def _too_large(endpoint: Endpoint) -> str:
    return f"the body may have at most {endpoint.most_body_bytes // KIB} KiB"
