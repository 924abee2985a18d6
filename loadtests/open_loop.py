"""Requests at a rate that does not wait for answers, as callers who know nothing of each other send them."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

from loadtests.offered import GOOD, LOST, NOT_SENT, SHED, SILENT, Offered

LOOPBACK = "127.0.0.1"
MOST_CONNECTIONS = 1000
TICK_SECONDS = 0.001
AT_ONCE = 32
LAST_SECONDS = 5.0
"""How long to wait for what is still unanswered at the end."""
MOST_LATE = 1.05
"""A run that takes so much longer than it should was not offered as it says."""


class Caller(asyncio.Protocol):
    """One connection with at most one request under way."""

    transport: asyncio.Transport
    due: float | None = None

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._retry_after = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._run.opened(self)

    def send(self, pieces: Sequence[bytes], due: float) -> None:
        self.due = due
        self._write(pieces)

    def _write(self, pieces: Sequence[bytes]) -> None:
        self.transport.write(pieces[0])
        if len(pieces) > 1:
            # In another turn of the loop, which writes what one turn has at once.
            asyncio.get_running_loop().call_soon(self._write, pieces[1:])

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_header(self, name: bytes, _: bytes) -> None:
        self._retry_after |= name.lower() == b"retry-after"

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        shed = status == 503 and self._retry_after
        self._run.answered(self, GOOD if 200 <= status < 300 else SHED if shed else str(status))
        self._retry_after = False
        if not self._parser.should_keep_alive():
            self.transport.close()
        elif not self.transport.is_closing():
            self._run.free.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._run.lost(self)


def request(url: str, body: str, apart: bool = False) -> tuple[bytes, ...]:
    """A POST as it goes over the wire. apart: in two pieces, head and body, as http.client and httpx send it."""
    address = urlsplit(url)
    head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    return (head.encode(), body.encode()) if apart else (f"{head}{body}".encode(),)


class Run:
    """Connections are opened as they are needed, and the one used last is used first."""

    def __init__(self, url: str, bodies: Sequence[str], rate: float, seconds: float, apart: bool) -> None:
        self.offered = Offered(rate, seconds)
        self.free: list[Caller] = []
        self._port = urlsplit(url).port or 80
        self._requests = cycle([request(url, body, apart) for body in bodies])
        self._loop = asyncio.get_running_loop()
        self._open = self._waiting = 0
        self._callers: set[Caller] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._ends = 0.0

    async def offer(self) -> Offered:
        """Raises SystemExit when this process was too slow to send at the rate."""
        run, total, begun = self.offered, int(self.offered.rate * self.offered.seconds), perf_counter()
        self._ends = begun + run.seconds
        for number in range(total):
            due = begun + number / run.rate
            while (early := due - perf_counter()) > 0:
                await asyncio.sleep(max(early, TICK_SECONDS))
            if number % AT_ONCE == 0:
                # Late or not, answers have to be read.
                await asyncio.sleep(0)
            self._send(due)
        if perf_counter() - begun > MOST_LATE * run.seconds:
            raise SystemExit(f"error: the generator cannot send {run.rate:,.0f} requests/s; another core would help")
        while self._waiting and perf_counter() < self._ends + LAST_SECONDS:
            await asyncio.sleep(TICK_SECONDS)
        run.outcomes[SILENT] += self._waiting
        return run

    async def close(self) -> None:
        """The loop can end only after its last connection; what is still unanswered has been counted."""
        for task in self._connecting:
            task.cancel()
        while self._callers:
            for caller in self._callers:
                caller.due = None
                caller.transport.abort()
            await asyncio.sleep(TICK_SECONDS)

    def _send(self, due: float) -> None:
        while self.free:
            caller = self.free.pop()
            if not caller.transport.is_closing():
                self._waiting += 1
                return caller.send(next(self._requests), due)
        if self._open >= MOST_CONNECTIONS:
            self.offered.outcomes[NOT_SENT] += 1
            return None
        self._open += 1
        self._waiting += 1
        task = self._loop.create_task(self._connect(due))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, due: float) -> None:
        try:
            _, caller = await self._loop.create_connection(lambda: Caller(self), LOOPBACK, self._port)
        except OSError as error:
            self._open -= 1
            self._waiting -= 1
            self.offered.outcomes[type(error).__name__] += 1
        else:
            caller.send(next(self._requests), due)

    def answered(self, caller: Caller, outcome: str) -> None:
        now, due, caller.due = perf_counter(), caller.due, None
        self._waiting -= 1
        self.offered.outcomes[outcome] += 1
        if outcome == GOOD and due is not None:
            self.offered.latencies.append(now - due)
            self.offered.good_in_time += now <= self._ends

    def opened(self, caller: Caller) -> None:
        self._callers.add(caller)

    def lost(self, caller: Caller) -> None:
        self._callers.discard(caller)
        self._open -= 1
        if caller.due is not None:
            self._waiting -= 1
            self.offered.outcomes[LOST] += 1


def offer(url: str, bodies: Sequence[str], rate: float, seconds: float, apart: bool = False) -> Offered:
    """POST the bodies in turn, that many a second, for so long, to a server on this machine. apart: as of request.

    Raises SystemExit as Run.offer does.
    """

    async def run() -> Offered:
        calls = Run(url, bodies, rate, seconds, apart)
        try:
            return await calls.offer()
        finally:
            await calls.close()

    return uvloop.run(run())
