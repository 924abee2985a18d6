"""How much of a body is read, how long the next piece of it is waited for, and what becomes of the rest."""

import asyncio
from contextlib import suppress
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from app.serving.http.messages import Answered, HeaderValues
from app.serving.http.paths import KIB, MIB, Endpoint
from app.serving.http.problems import TOO_MANY, RetryAfter, problem
from app.serving.http.workload import MOST_HELD_BYTES, Load, units_of

READ_SECONDS = 10.0
"""Between two pieces of a body: below the time that a stopping server gives to requests under way."""

BODY_SECONDS = 60.0
"""For the whole of a body, however many pieces it comes in."""

SMALL_BYTES = 64 * KIB
"""Of a body that is never refused because of what others send."""

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

    A call raises HTTPException: 413 beyond the limit, 408 when the next piece or the last one does not come in time,
    503 when all bodies together are too large, or when too many decisions wait. `release` has to follow.
    """

    def __init__(self, endpoint: Endpoint, method: str, headers: HeaderValues, receive: Receive, load: Load) -> None:
        self._endpoint = endpoint
        self._decides = endpoint.sheddable and method == "POST"
        self._receive = receive
        self._load = load
        self._units = 0
        self._deadline = monotonic() + BODY_SECONDS
        self._received = 0
        self._complete = False
        self.unread = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
        """Whether some of it may still be under way."""

    async def __call__(self) -> Message:
        # What follows a body is that the client leaves, which may take as long as it wants.
        if self._complete:
            return await self._receive()
        message = await self._in_time()
        self.unread = message.get("more_body", False)
        self._complete = not self.unread
        size = len(message.get("body", b""))
        self._received += size
        self._load.held_bytes += size
        refusal = self._refusal()
        if refusal is not None:
            # Nobody keeps what has come so far, though the rest may be read for a while.
            self.release()
            raise refusal
        if self._complete and self._decides:
            self._units = units_of(self._received)
            self._load.begin(self._units)
        return message

    def _refusal(self) -> HTTPException | None:
        if self._received > self._endpoint.most_body_bytes:
            return HTTPException(413, _too_large(self._endpoint))
        # Small bodies come through whatever the large ones do.
        too_large = self._load.held_bytes > MOST_HELD_BYTES and self._received > SMALL_BYTES
        if too_large or (self._complete and self._decides and self._load.too_high):
            name, value = RetryAfter.SHED.header
            return HTTPException(503, TOO_MANY, {name.decode(): value.decode()})
        return None

    def release(self) -> None:
        """Nobody works on the body any more."""
        self._load.held_bytes -= self._received
        self._received = 0
        if self._units:
            self._load.end(self._units)
            self._units = 0

    async def _in_time(self) -> Message:
        patience = min(READ_SECONDS, max(0.0, self._deadline - monotonic()))
        try:
            async with asyncio.timeout(patience):
                return await self._receive()
        except TimeoutError:
            what = f"nothing more of the body came for {READ_SECONDS:g} s"
            if patience < READ_SECONDS:
                what = f"the body was not complete within {BODY_SECONDS:g} s"
            raise HTTPException(408, what) from None

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


def _too_large(endpoint: Endpoint) -> str:
    return f"the body may have at most {endpoint.most_body_bytes // KIB} KiB"
