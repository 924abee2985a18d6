"""An overload is told by what was answered in time, what was refused politely, and what came to nothing."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.servers import free_port
from loadtests.offered import GOOD, LOST, NOT_SENT, SHED, SILENT, Offered
from loadtests.open_loop import offer, request
from loadtests.overload import figures, summary

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
HANG_UP = b""
SENT = b'{"data": {}}'


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """The address of a server that gives these answers in turn; an empty one closes the connection."""
    given, loop = 0, asyncio.new_event_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        try:
            while True:
                await reader.readuntil(SENT)
                answer = answers[given % len(answers)]
                given += 1
                writer.write(answer)
                if answer in (HANG_UP, BUSY):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller has what it wanted
        finally:
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", port := free_port()))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/predict"
    finally:

        async def end() -> None:
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
                await asyncio.wait([task])

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def outcomes(offered: Offered) -> dict[str, int]:
    return {name: count for name, count in offered.outcomes.items() if count}


def test_each_request_has_one_outcome() -> None:
    with answering(OK, BUSY, BROKEN, HANG_UP, OK) as url:
        offered = offer(url, [SENT.decode()], rate=100, seconds=1)
    assert outcomes(offered) == {GOOD: 40, SHED: 20, "503": 20, LOST: 20}
    assert len(offered.latencies) == 40
    assert offered.share(SHED) == 0.2


def test_a_server_that_does_not_answer_is_not_waited_for_before_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loadtests.open_loop.MOST_CONNECTIONS", 5)
    monkeypatch.setattr("loadtests.open_loop.LAST_SECONDS", 0.1)
    with answering(b"HTTP/1.1 200 OK\r\n") as url:
        offered = offer(url, [SENT.decode()], rate=100, seconds=0.5)
    assert outcomes(offered) == {SILENT: 5, NOT_SENT: 45}
    assert offered.percentile_ms(0.99) is None


def test_nobody_listening_is_an_outcome_too() -> None:
    offered = offer(f"http://127.0.0.1:{free_port()}/predict", [SENT.decode()], rate=50, seconds=0.2)
    assert outcomes(offered) == {"ConnectionRefusedError": 10}


def test_only_what_was_answered_in_time_is_goodput() -> None:
    offered = Offered(rate=200, seconds=5, latencies=[0.001] * 99 + [0.5], good_in_time=450)
    offered.outcomes.update({GOOD: 460, SHED: 500, SILENT: 40})
    found = figures(offered, maximum=100)
    assert found["goodput_ratio"] == 0.9
    assert (found["p50_ms"], found["p99_ms"]) == (1.0, 1.0)
    assert (found["good_share"], found["shed_share"], found["other_shares"]) == (0.46, 0.5, {SILENT: 0.04})
    assert summary([found]).splitlines() == [
        "maximum             100 decisions a second",
        "offered             200 requests a second",
        "goodput             90.0% of the maximum",
        "p50/p99             1.0/1.0 ms of what was decided, from when it was due",
        "shed                50.0% with 503 and Retry-After",
        "not answered        4.0%",
    ]


def test_head_and_body_may_come_apart() -> None:
    pieces = request("http://127.0.0.1:1/predict", "{}", apart=True)
    assert len(pieces) == 2
    assert pieces[0].endswith(b"Content-Length: 2\r\n\r\n")
    assert b"".join(pieces) == request("http://127.0.0.1:1/predict", "{}")[0]
    with answering(OK) as url:
        offered = offer(url, [SENT.decode()], rate=100, seconds=0.5, apart=True)
    assert outcomes(offered) == {GOOD: 50}
