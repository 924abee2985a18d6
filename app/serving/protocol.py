"""HTTP/1.1 with a bound on what comes before a body, and with problems where no request could be read."""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""Request line and headers together; a browser's are below 8 KiB."""

REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class BoundedHttpProtocol(HttpToolsProtocol):
    """As uvicorn's, which would collect a head of any size while nobody else is answered."""

    _reading_head = True
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._reading_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"request line and headers may have at most {MOST_HEAD_BYTES // 1024} KiB")

    def on_headers_complete(self) -> None:
        self._reading_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "this is not an HTTP/1.1 request")

    def _refuse(self, status: int, detail: str) -> None:
        problem = {"type": "about:blank", "title": REASONS[status], "status": status, "detail": detail}
        body = json.dumps(problem)
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write((head + body).encode())
        self.transport.close()
