"""HTTP/1.1 that answers a request of the lane as soon as its last byte is read, without a task of its own.

A task, the scope that it is given and the messages that it sends cost twice as much as everything else that a server
does for a request, and there is nothing to wait for. Whatever has to wait goes the server's usual way.
"""

from itertools import chain

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.serving.http.lane import PATH
from app.serving.http.protocol import BoundedHttpProtocol
from app.serving.http.server import CLOSE

TARGET = PATH.encode()


MOST_AT_ONCE = 16
"""Of the requests that one connection sends in one go; the others of it take turns with those of other connections."""


class LaneProtocol(BoundedHttpProtocol):
    """Holds a request for the lane back until it is complete; hands it on as if nothing had been when it is not for
    the lane, or does not come in one piece."""

    _held: list[bytes] | None = None
    """The body's pieces."""
    _answered_at_once = 0

    def data_received(self, data: bytes) -> None:
        self._answered_at_once = 0
        super().data_received(data)
        if self._held is not None:
            self._release()

    def on_message_begin(self) -> None:
        # As the server's own, which makes a scope: see _prepare.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def _prepare(self) -> None:
        """Make the scope of the request that is being read."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers

    def _begin(self) -> None:
        if (
            self.url == TARGET
            and self.lane is not None
            and self._answered_at_once < MOST_AT_ONCE
            and self.answered_all()
            and not self.flow.write_paused
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
        ):
            self._held = []
        else:
            self._take_road()

    def _take_road(self) -> None:
        # One that was answered at once a moment ago has set the timer of a connection that waits.
        self._unset_keepalive_if_required()
        self._prepare()
        super()._begin()

    def _collect(self, body: bytes) -> None:
        if self._held is None:
            super()._collect(body)
        else:
            self._held.append(body)

    def _complete(self) -> None:
        if self._held is None or self.lane is None:
            return super()._complete()
        answered = self.lane.respond(self.headers, b"".join(self._held))
        if answered is None:
            self._release()
            return super()._complete()
        self._held = None
        self._answered_at_once += 1
        self._send(*answered)
        return None

    def _release(self) -> None:
        pieces, self._held = self._held or [], None
        if self.transport.is_closing():
            return
        self._take_road()
        for piece in pieces:
            super()._collect(piece)

    def _send(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        defaults = self.server_state.default_headers
        parts = [STATUS_LINE[status]]
        for name, value in chain(defaults, headers):
            parts += (name, b": ", value, b"\r\n")
        if CLOSE in defaults:
            stays = False
        elif not (stays := self.parser.should_keep_alive()):
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        self.transport.write(b"".join(parts))
        self.server_state.total_requests += 1
        if stays:
            self.keep_alive()
        else:
            self.transport.close()
