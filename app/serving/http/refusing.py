"""The end of a connection: refusals of what is no request, in their turn, and read by whoever is still sending."""

import asyncio
import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.serving.http.limits import LINGER_BYTES, LINGER_SECONDS
from app.serving.http.paths import KIB

SENDING_BYTES = 128 * KIB
"""That the kernel takes of an answer before its client does. It would take megabytes, which are the pod's memory."""

STALLED_SECONDS = 10.0
"""Without a byte taken by a client that has some to read."""


class RefusingProtocol(HttpToolsProtocol):
    """As uvicorn's, which writes a refusal before answers that are due, and closes with bytes unread: the client's
    system then drops the refusal. It would also wait for ever for a client that does not read."""

    deaf = False
    """Whatever else comes on this connection is not read: it will be closed with what was answered last."""
    _refusal: bytes | None = None
    """To be written once everything before it is answered."""
    _closing: asyncio.TimerHandle | None = None
    _dropped = 0
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if (connected := transport.get_extra_info("socket")) is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENDING_BYTES)

    def answered_all(self) -> bool:
        """Nothing of this connection is still to be answered, which would have to go first."""
        return self.cycle is None or self.cycle.response_complete

    def refuse(self, content: bytes) -> None:
        """Answer that, after what is due before it, and end the connection. content: head and body."""
        self.deaf = True
        if self._due_before():
            self._refusal = content
        else:
            self._end_with(content)

    def _due_before(self) -> bool:
        """Whether there are answers to wait for. A request that is not whole will have none: it is given up."""
        cycle = self.cycle
        if cycle is None or not cycle.more_body:
            return not self.answered_all()
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            return True
        cycle.disconnected = True
        cycle.message_event.set()
        return False

    def drop(self, data: bytes) -> None:
        """What comes to a connection that is deaf; too much of it cuts the client off."""
        self._dropped += len(data)
        if self._closing is not None and self._dropped > LINGER_BYTES:
            self.transport.close()

    def on_response_complete(self) -> None:
        last = not self.pipeline
        super().on_response_complete()
        if self._refusal is not None and last and not self.transport.is_closing():
            content, self._refusal = self._refusal, None
            self._end_with(content)

    def eof_received(self) -> None:
        if self._closing is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._closing, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def _end_with(self, content: bytes) -> None:
        self.transport.write(content)
        # Half closed, where that can be: the client sees the end of the answer, and what it still sends is read on.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._closing = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _watch(self, waiting: int) -> None:
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._look, waiting)

    def _look(self, waiting: int) -> None:
        """waiting: bytes that the client had not taken when it was last looked at."""
        now = self.transport.get_write_buffer_size()
        if now < waiting:
            self._watch(now)
        else:
            if (connected := self.transport.get_extra_info("socket")) is not None:
                # Reset, or the kernel would keep what the client does not take for minutes.
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
