"""X-Request-ID: one id for a request, in its answer, its log lines and its error."""

import re
from contextvars import ContextVar, Token

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ids import RandomHex

HEADER = b"x-request-id"

# What may enter the logs and come back in a header without a second thought.
SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

_random = RandomHex()
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Id of the request that this code runs for, or an empty string."""
    return _request_id.get()


def request_id_of(sent: bytes) -> bytes:
    """The caller's id when it is sane, a new one otherwise."""
    return sent if SANE.fullmatch(sent) else _random.take(32).encode()


def enter_request(request_id: bytes) -> Token[str]:
    """What follows runs for that request, until leave_request."""
    return _request_id.set(request_id.decode())


def leave_request(token: Token[str]) -> None:
    _request_id.reset(token)


class RequestIds:
    """ASGI middleware: takes the caller's id when it is sane, makes one otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        sent = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request_id = request_id_of(sent)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        token = enter_request(request_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            leave_request(token)
