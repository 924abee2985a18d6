"""HTTP/1.1 with bounds on heads and on how many wait, and with problems where no request could be read."""

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.serving.http.edge import Edge
from app.serving.http.paths import KIB, SHEDDABLE
from app.serving.http.problems import MEDIA_TYPE, OVERLOADED, TOO_MANY, RetryAfter, problem_body
from app.serving.http.refusing import RefusingProtocol
from app.serving.http.server import CLOSE_HEADER

MOST_HEAD_BYTES = 64 * KIB
"""Request line and headers together, or what comes beside a body in pieces; a browser's head is below 8 KiB."""

MOST_PIPELINED = 100
"""Requests of one connection that wait for the one before them."""

CLOSE = b"%s: %s\r\n" % CLOSE_HEADER


class BoundedProtocol(RefusingProtocol):
    """As uvicorn's, which would collect a head of any size while nobody else is answered, and any number of requests.

    A decision that finds too many before it is shed before anything is made for it, because a refusal that costs as
    much as an answer leaves less for the answers. It is counted by the edge of the application's state.
    """

    _reading_head = True
    _loose_bytes = 0
    """Of the request that is being read, without its body's."""
    _shed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.edge: Edge | None = self.app_state.get("edge")

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return self.drop(data)
        self._loose_bytes += len(data)
        super().data_received(data)
        if self.deaf or self.transport.is_closing():
            return None
        if self._loose_bytes > MOST_HEAD_BYTES:
            self._refuse(431, f"request line and headers may have at most {MOST_HEAD_BYTES // KIB} KiB")
        elif self._shed:
            # The rest of its body is not worth waiting for.
            self._refuse_shed(stays=False)
        return None

    def on_header(self, name: bytes, value: bytes) -> None:
        # Nobody reads the trailers of a body in pieces. Else as the server's own: a call more, a microsecond a request.
        if self._reading_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._reading_head = False
        # What follows an answer that closes is the client's to ask elsewhere.
        self.deaf = self.deaf or self.transport.is_closing()
        if self.deaf:
            return
        if self.parser.should_upgrade() and self._has_body():
            # The parser takes what follows the head of such a request for another protocol's.
            self._refuse(400, NO_UPGRADE)
        elif len(self.pipeline) >= MOST_PIPELINED:
            self.cycle.keep_alive = False
            self.deaf = True
        elif self.edge is not None and self.edge.load.too_high and self._can_be_shed():
            self._shed = True
        else:
            self._begin()

    def _begin(self) -> None:
        """Its head is read."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose_bytes -= len(body)
        if not self._shed and not self.deaf:
            self._collect(body)

    def _collect(self, body: bytes) -> None:
        """A piece of its body is read."""
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """A piece of a body in pieces has ended."""
        self._loose_bytes = 0

    def on_message_complete(self) -> None:
        if self._shed:
            self._refuse_shed(self.parser.should_keep_alive() and "draining" not in self.app_state)
        elif not self.deaf:
            self._complete()
        self._reading_head = True
        self._loose_bytes = 0

    def _complete(self) -> None:
        """All of it is read."""
        super().on_message_complete()

    def keep_alive(self) -> None:
        """Wait for the next request for as long as a connection is kept."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _has_body(self) -> bool:
        values = dict(self.headers)
        return values.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in values

    def _can_be_shed(self) -> bool:
        return (
            self._path() in SHEDDABLE
            and self.parser.get_method() == b"POST"
            and self.answered_all()
            and not self.flow.write_paused
        )

    def _path(self) -> bytes:
        return self.url.partition(b"?")[0]

    def _refuse_shed(self, stays: bool) -> None:
        self._shed = False
        if self.edge is not None:
            self.edge.count(self._path().decode(), "POST", 503)
        if stays:
            self.transport.write(SHED)
            self.keep_alive()
        else:
            self.refuse(SHED_AND_CLOSE)

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "this is not an HTTP/1.1 request")

    def _refuse(self, status: int, detail: str) -> None:
        self.refuse(response(status, detail, CLOSE))


def response(status: int, detail: str, headers: bytes, name: str = "") -> bytes:
    """A problem as it goes over the line, with no id of a request, of which too little is known. headers: lines. name:
    of its type, where it is not the status's own."""
    body = problem_body(status, detail, name)
    described = b"content-type: %s\r\ncontent-length: %d\r\n" % (MEDIA_TYPE, len(body))
    return STATUS_LINE[status] + described + headers + b"\r\n" + body


NO_UPGRADE = "this server speaks HTTP/1.1 alone: send the request without the header Upgrade"
RETRY_AFTER = b"%s: %s\r\n" % RetryAfter.SHED.header
SHED = response(503, TOO_MANY, RETRY_AFTER, OVERLOADED)
SHED_AND_CLOSE = response(503, TOO_MANY, RETRY_AFTER + CLOSE, OVERLOADED)
