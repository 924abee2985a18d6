"""HTTP/1.1 with bounds on heads and on how many wait, and with problems where no request could be read."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.serving.lane import Lane

MOST_HEAD_BYTES = 64 * 1024
"""Request line and headers together; a browser's are below 8 KiB."""

MOST_UNDER_WAY = 500
"""Requests that wait or are being answered, some 50 ms of work: in a queue without end all are answered too late."""

SHEDDING = frozenset({b"/predict", b"/predict/batch"})
"""Whoever asks for these can ask again or elsewhere; probes cannot."""

RETRY_AFTER_SECONDS = 1

REASONS = {503: "Service Unavailable", 400: "Bad Request", 431: "Request Header Fields Too Large"}


class BoundedHttpProtocol(HttpToolsProtocol):
    """As uvicorn's, which would collect a head of any size while nobody else is answered, and any number of requests.

    A decision that finds too many before it is refused before anything is made for it, because a refusal that costs as
    much as an answer leaves less for the answers. It is counted by the lane of the application's state.
    """

    _reading_head = True
    _head_bytes = 0
    _shed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.lane: Lane | None = self.app_state.get("lane")

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reading_head and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(431, f"request line and headers may have at most {MOST_HEAD_BYTES // 1024} KiB")
        elif self._shed:
            # The rest of its body is not worth waiting for.
            self._refuse_shed()
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        if self.url in SHEDDING and self._too_many() and self.answered_all():
            self._shed = True
        else:
            self._begin()

    def _begin(self) -> None:
        """Its head is read."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._shed:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._shed:
            self._refuse_shed()
            if not self.parser.should_keep_alive() or "draining" in self.app_state:
                self.transport.close()
        else:
            self._complete()
        self._reading_head = True
        self._head_bytes = 0

    def _complete(self) -> None:
        """All of it is read."""
        super().on_message_complete()

    def answered_all(self) -> bool:
        """Nothing of this connection is still to be answered, which would have to go first."""
        return self.cycle is None or self.cycle.response_complete

    def keep_alive(self) -> None:
        """Wait for the next request for as long as a connection is kept."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _too_many(self) -> bool:
        under_way = len(self.tasks)
        return under_way + (0 if self.lane is None else self.lane.answered_in_turn) >= MOST_UNDER_WAY

    def _refuse_shed(self) -> None:
        self._shed = False
        if self.lane is not None:
            self.lane.count_shed(self.url.decode(), self.parser.get_method().decode())
        self.transport.write(SHED)
        self.keep_alive()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "this is not an HTTP/1.1 request")

    def _refuse(self, status: int, detail: str) -> None:
        self.transport.write(response(status, detail, "connection: close\r\n"))
        self.transport.close()


def response(status: int, detail: str, headers: str) -> bytes:
    """A problem, as it goes over the line."""
    told: dict[str, Any] = {"type": "about:blank", "title": REASONS[status], "status": status, "detail": detail}
    body = json.dumps(told)
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/problem+json\r\n"
    return f"{head}content-length: {len(body)}\r\n{headers}\r\n{body}".encode()


SHED = response(
    503, "too many requests are waiting; ask again, or another server", f"retry-after: {RETRY_AFTER_SECONDS}\r\n"
)
