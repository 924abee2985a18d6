"""The server that leaves politely: asked to stop, it answers on for a while, and closes each connection it answers.

Clients keep connections and send the next request at any moment. A server that closes them at once loses what
was just sent; one that says `Connection: close` with its last answer on each loses nothing.
"""

import signal
import time
from types import FrameType
from typing import Any

import uvicorn

CLOSE = (b"connection", b"close")


class DrainingServer(uvicorn.Server):
    """As uvicorn.Server, but SIGTERM is followed by drain_seconds in which every answer closes its connection, and
    in which the state that each request carries says `draining`.

    A second signal, of any kind, ends it as it would have ended at once.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._drained_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> Any:
        if sig != signal.SIGTERM or self._drained_at is not None or self._drain_seconds == 0:
            return super().handle_exit(sig, frame)
        # The server makes the first list from the second once a second; the next answer must not wait for that.
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        self.lifespan.state["draining"] = True
        self._drained_at = time.monotonic() + self._drain_seconds
        return None

    async def on_tick(self, counter: int) -> bool:
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)
