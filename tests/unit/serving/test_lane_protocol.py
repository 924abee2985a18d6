"""Requests that come in every way they can, to a server that answers those of the lane at once."""

import asyncio
import json
from collections.abc import Callable

import pytest

from app.serving import limits
from app.serving.lane import Lane
from app.serving.protocol import MOST_UNDER_WAY
from app.serving.server import CLOSE
from tests.fakes import Api, constant_model, json_file
from tests.wire import Wire, exchange, post

BODY = json.dumps(json_file("request.json")).encode()
JSON = ("Content-Type", "application/json")
REQUEST = post("/predict", BODY, [JSON])
PROBE = b"GET /livez HTTP/1.1\r\nHost: api\r\n\r\n"


class Counted(Lane):
    """Counts what it answers."""

    answered = 0

    def respond(
        self, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        found = super().respond(headers, body)
        self.answered += found is not None
        return found


@pytest.fixture
def api() -> Api:
    return Api(constant_model(0.3))


@pytest.fixture
def lane(api: Api) -> Counted:
    return Counted(api.app, api.holder, api.challenger, api.metrics, api.admission, None)


def statuses(answers: bytes) -> list[int]:
    """Of each answer, in their order."""
    return [int(part.split(b" ")[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def test_a_whole_request_is_answered_before_anything_else_runs(lane: Counted) -> None:
    async def ask() -> bytes:
        wire = Wire(lane.road, lane)
        wire.protocol.data_received(REQUEST)
        sent = wire.transport.sent
        wire.close()
        return sent

    assert statuses(asyncio.run(ask())) == [200]
    assert lane.answered == 1


@pytest.mark.parametrize(
    "cut", [1, 30, len(REQUEST) - len(BODY), len(REQUEST) - 1], ids=["line", "head", "body", "end"]
)
def test_a_request_in_pieces_is_answered_too(lane: Counted, cut: int) -> None:
    assert statuses(exchange(lane.road, lane, REQUEST[:cut], REQUEST[cut:])) == [200]


def test_a_body_in_three_pieces_takes_the_road_whole(lane: Counted) -> None:
    head = len(REQUEST) - len(BODY)
    assert statuses(
        exchange(lane.road, lane, REQUEST[: head + 5], REQUEST[head + 5 : head + 9], REQUEST[head + 9 :])
    ) == [200]
    assert lane.answered == 0


def test_pipelined_requests_are_answered_in_their_order(lane: Counted) -> None:
    bad = post("/predict", b"{}", [JSON])
    assert statuses(exchange(lane.road, lane, REQUEST + bad + REQUEST + PROBE + REQUEST)) == [200, 422, 200, 200, 200]
    # The road's answers come later, and what follows them must wait for them.
    assert lane.answered == 1


@pytest.mark.parametrize(
    ("request_", "closes"),
    [
        (post("/predict", BODY, [JSON, ("Connection", "close")]), True),
        (post("/predict", BODY, [JSON], version="1.0"), True),
        (REQUEST, False),
    ],
    ids=["asked to close", "HTTP/1.0", "kept"],
)
def test_a_connection_stays_as_the_client_wants(lane: Counted, request_: bytes, closes: bool) -> None:
    async def ask() -> tuple[bytes, bool]:
        wire = Wire(lane.road, lane)
        sent = await wire.send(request_)
        closed = wire.transport.is_closing()
        wire.close()
        return sent, closed

    sent, closed = asyncio.run(ask())
    assert closed == closes
    assert (b"connection: close\r\n" in sent) == closes


def test_a_draining_server_closes_with_its_answer_and_answers_no_more(lane: Counted) -> None:
    def drain(wire: Wire) -> None:
        wire.state.default_headers = [*wire.state.default_headers, CLOSE]

    sent = exchange(lane.road, lane, REQUEST + REQUEST, before=drain)
    assert statuses(sent) == [200]
    assert sent.count(b"connection: close\r\n") == 1
    assert lane.answered == 1


@pytest.mark.parametrize(
    "header",
    [("Upgrade", "h2c"), ("Expect", "100-continue"), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
    ids=lambda header: str(header[0]),
)
def test_a_request_that_asks_for_more_takes_the_road(lane: Counted, header: tuple[str, str]) -> None:
    exchange(lane.road, lane, post("/predict", BODY, [JSON, header]))
    assert lane.answered == 0


def test_a_client_that_reads_nothing_is_not_answered_without_end(lane: Counted) -> None:
    def stop_reading(wire: Wire) -> None:
        wire.protocol.pause_writing()
        asyncio.get_running_loop().call_soon(wire.protocol.resume_writing)

    assert statuses(exchange(lane.road, lane, REQUEST, before=stop_reading)) == [200]
    assert lane.answered == 0


def test_a_body_that_stops_coming_is_given_up(lane: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", 0.01)
    assert statuses(exchange(lane.road, lane, REQUEST[:-1])) == [408]


def test_one_turn_answers_only_so_many(lane: Counted, api: Api) -> None:
    async def ask(flood: Callable[[Wire], None]) -> bytes:
        wire = Wire(lane.road, lane)
        flood(wire)
        refused = await wire.send(REQUEST)
        later = await wire.send(REQUEST)
        wire.close()
        return refused + later

    def flood(wire: Wire) -> None:
        for _ in range(MOST_UNDER_WAY):
            wire.protocol.data_received(REQUEST)
        assert statuses(wire.transport.sent) == [200] * MOST_UNDER_WAY

    assert statuses(asyncio.run(ask(flood))) == [503, 200]
    labels = {"handler": "/predict", "method": "POST", "status": "503"}
    assert api.metrics.registry.get_sample_value("http_requests_total", labels) == 1
