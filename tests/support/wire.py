"""The server's side of a connection without a network: bytes in, bytes out, by the protocol that production runs."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from app.serving.http.edge import Edge
from app.serving.http.protocol import FastPathProtocol

DATE = (b"date", b"Tue, 24 Nov 2026 12:00:00 GMT")


class Sink(asyncio.Transport):
    """Keeps what is written until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self._closed = False
        self.ended = False

    def write(self, data: Any) -> None:
        assert not self._closed
        self.sent += bytes(data)

    def close(self) -> None:
        self._closed = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """The client sees the end of what was sent."""
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return len(self.sent)

    def is_closing(self) -> bool:
        return self._closed

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


class Wire:
    """One connection to an application. Made and used in a running loop.

    edge: what the server knows of the application's, None for one that has no fast path.
    """

    def __init__(self, app: ASGIApp, edge: Edge | None) -> None:
        # As app.serving starts it.
        config = uvicorn.Config(
            app,
            http=FastPathProtocol,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            access_log=False,
            log_config=None,
        )
        config.load()
        self.state = ServerState()
        self.state.default_headers = [DATE]
        self.transport = Sink()
        self.protocol = FastPathProtocol(config, self.state, {} if edge is None else {"edge": edge})
        self.protocol.connection_made(self.transport)

    async def send(self, *pieces: bytes) -> bytes:
        """The bytes in these pieces, one after another; gives what was written once nothing is under way any more."""
        already = len(self.transport.sent)
        for piece in pieces:
            self.protocol.data_received(piece)
            await asyncio.sleep(0)
        while self.state.tasks:
            await asyncio.wait(self.state.tasks)
        return self.transport.sent[already:]

    def close(self) -> None:
        """The client leaves."""
        self.protocol.connection_lost(None)


def exchange(app: ASGIApp, edge: Edge | None, *pieces: bytes, before: Callable[[Wire], None] = lambda _: None) -> bytes:
    """What a connection of its own answers to these pieces."""

    async def ask() -> bytes:
        wire = Wire(app, edge)
        before(wire)
        try:
            return await wire.send(*pieces)
        finally:
            wire.close()

    return asyncio.run(ask())


def post(path: str, body: bytes, headers: Sequence[tuple[str, str]], version: str = "1.1") -> bytes:
    """A request as it goes over the line."""
    lines = [f"POST {path} HTTP/{version}", "Host: api", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
