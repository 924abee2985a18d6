"""The server that lets everybody in, and leaves politely: asked to stop, it answers on for a while, and closes each
connection it answers.

Clients keep connections and send the next request at any moment. A server that closes them at once loses what
was just sent; one that says `Connection: close` with its last answer on each loses nothing.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from app.serving.http.certificate import Certificate

CLOSE_HEADER = (b"connection", b"close")

ACCEPTED_A_TURN = 16
"""Connections. The loop takes one a turn from each socket that listens; while a turn has hundreds of requests to
answer, that would keep whoever comes new waiting for seconds."""


RENEWAL_TICKS = 100
"""Of the server, ten of which are a second: how often its certificate is looked at."""


class DrainingServer(uvicorn.Server):
    """As uvicorn.Server, but SIGTERM is followed by drain_seconds in which every answer closes its connection, and
    in which the state that each request carries says `draining`.

    A second signal, of any kind, ends it as it would have ended at once. certificate: what it speaks TLS by, None for
    plain HTTP.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float, certificate: Certificate | None = None) -> None:
        super().__init__(config)
        self._certificate = certificate
        self._drain_seconds = drain_seconds
        self._drained_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)

        def protocol() -> asyncio.Protocol:
            kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
            return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        # The same queue of connections, seen once more each.
        loop = asyncio.get_running_loop()
        for listening in [it for server in self.servers for it in server.sockets]:
            for _ in range(ACCEPTED_A_TURN - 1):
                again = socket.socket(fileno=os.dup(listening.fileno()))
                self.servers.append(
                    await loop.create_server(protocol, sock=again, ssl=self.config.ssl, backlog=self.config.backlog)
                )

    def handle_exit(self, sig: int, frame: FrameType | None) -> Any:
        if sig != signal.SIGTERM or self._drained_at is not None or self._drain_seconds == 0:
            return super().handle_exit(sig, frame)
        # The server makes the first list from the second once a second; the next answer must not wait for that.
        self.config.encoded_headers.append(CLOSE_HEADER)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE_HEADER]
        self.lifespan.state["draining"] = True
        self._drained_at = time.monotonic() + self._drain_seconds
        return None

    async def on_tick(self, counter: int) -> bool:
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        if self._certificate is not None and self.config.ssl is not None and counter % RENEWAL_TICKS == 0:
            self._certificate.renew(self.config.ssl)
        return await super().on_tick(counter)
