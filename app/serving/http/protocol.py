"""HTTP/1.1 that answers a POST /predict as soon as its last byte is read, without a task of its own: the fast path.

A task, the scope that it is given and the messages that it sends cost twice as much as everything else that a server
does for a request, and there is nothing to wait for. Whatever has to wait goes the server's usual way.
"""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.serving.http.bounds import BoundedProtocol
from app.serving.http.messages import Answered
from app.serving.http.paths import PREDICT
from app.serving.http.server import CLOSE_HEADER

TARGET = PREDICT.template.encode()

MOST_AT_ONCE = 16
"""Of the requests that one connection sends in one go; the others of it take turns with those of other connections."""


class FastPathProtocol(BoundedProtocol):
    """Holds a POST /predict back until it is complete; hands it to the framework as if nothing had been when it does
    not come in one piece, or asks for something of the connection."""

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
            and self.edge is not None
            and self._answered_at_once < MOST_AT_ONCE
            and self.answered_all()
            and not self.flow.write_paused
            and not self.expect_100_continue
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        ):
            self._held = []
        else:
            self._begin_in_framework()

    def _begin_in_framework(self) -> None:
        # One that was answered at once a moment ago has set the timer of a connection that waits.
        self._unset_keepalive_if_required()
        self._prepare()
        super()._begin()

    def on_chunk_header(self) -> None:
        """A body in chunks begins, which only the framework knows how to bound."""
        if self._held is not None:
            self._release()

    def _collect(self, body: bytes) -> None:
        if self._held is None:
            super()._collect(body)
        else:
            self._held.append(body)

    def _complete(self) -> None:
        if self._held is None or self.edge is None:
            return super()._complete()
        body = b"".join(self._held)
        answer = self.edge.answer_at_once(self.headers, body)
        if answer is None:
            self._release()
            return super()._complete()
        self._held = None
        self._answered_at_once += 1
        self._send(answer)
        return None

    def _release(self) -> None:
        pieces, self._held = self._held or [], None
        if self.transport.is_closing():
            return
        self._begin_in_framework()
        for piece in pieces:
            super()._collect(piece)

    def _send(self, answer: Answered) -> None:
        status, headers, body = answer
        defaults = self.server_state.default_headers
        fields = [*map(b": ".join, defaults), *map(b": ".join, headers)]
        if CLOSE_HEADER in defaults:
            stays = False
        elif not (stays := self.parser.should_keep_alive()):
            fields.append(b": ".join(CLOSE_HEADER))
        self.transport.write(b"".join((STATUS_LINE[status], b"\r\n".join(fields), b"\r\n\r\n", body)))
        self.server_state.total_requests += 1
        if stays:
            self.keep_alive()
        else:
            self.transport.close()
