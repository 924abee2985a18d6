"""Requests that come in every way they can, to a server that has a fast path."""

import asyncio
import json

import pytest
from prometheus_client import generate_latest

from app.serving.api.predict import Predict
from app.serving.api.reading import Reader
from app.serving.http import limits
from app.serving.http.bounds import MOST_PIPELINED
from app.serving.http.edge import Edge
from app.serving.http.messages import Answered, Headers
from app.serving.http.paths import PREDICT
from app.serving.http.protocol import MOST_AT_ONCE
from app.serving.http.server import CLOSE_HEADER
from app.serving.http.workload import MOST_WAITING
from harness.fields import CONTRACT
from tests.support.fakes import Api, constant_model, json_file
from tests.support.wire import Wire, exchange, post

BODY = json.dumps(json_file("request.json")).encode()
JSON = ("Content-Type", "application/json")
REQUEST = post("/predict", BODY, [JSON])
ROW = json.loads(BODY)["data"]["features"]
PROBE = b"GET /livez HTTP/1.1\r\nHost: api\r\n\r\n"


class Counted(Edge):
    """Counts what it answers."""

    answered = 0

    def answer_at_once(self, headers: Headers, body: bytes) -> Answered | None:
        answer = super().answer_at_once(headers, body)
        self.answered += answer is not None
        return answer


@pytest.fixture
def api() -> Api:
    return Api(constant_model(0.3))


@pytest.fixture
def edge(api: Api) -> Counted:
    return Counted(api.metrics, api.admission, Predict(Reader(CONTRACT), api.holder, api.challenger, None))


def statuses(answers: bytes) -> list[int]:
    """Of each answer, in their order."""
    return [int(part.split(b" ")[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def test_a_whole_request_is_answered_before_anything_else_runs(edge: Counted, api: Api) -> None:
    async def ask() -> bytes:
        wire = Wire(api.app, edge)
        wire.protocol.data_received(REQUEST)
        sent = wire.transport.sent
        wire.close()
        return sent

    assert statuses(asyncio.run(ask())) == [200]
    assert edge.answered == 1


@pytest.mark.parametrize(
    "cut", [1, 30, len(REQUEST) - len(BODY), len(REQUEST) - 1], ids=["line", "head", "body", "end"]
)
def test_a_request_in_pieces_is_answered_too(edge: Counted, api: Api, cut: int) -> None:
    assert statuses(exchange(api.app, edge, REQUEST[:cut], REQUEST[cut:])) == [200]


def test_a_body_in_three_pieces_goes_through_the_framework_whole(edge: Counted, api: Api) -> None:
    head = len(REQUEST) - len(BODY)
    assert statuses(
        exchange(api.app, edge, REQUEST[: head + 5], REQUEST[head + 5 : head + 9], REQUEST[head + 9 :])
    ) == [200]
    assert edge.answered == 0


def test_pipelined_requests_are_answered_in_their_order(edge: Counted, api: Api) -> None:
    bad = post("/predict", b"{}", [JSON])
    assert statuses(exchange(api.app, edge, REQUEST + bad + REQUEST + PROBE + REQUEST)) == [200, 422, 200, 200, 200]
    # The framework's answer comes later, and what follows it must wait for it.
    assert edge.answered == 3


@pytest.mark.parametrize(
    ("request_", "closes"),
    [
        (post("/predict", BODY, [JSON, ("Connection", "close")]), True),
        (post("/predict", BODY, [JSON], version="1.0"), True),
        (REQUEST, False),
    ],
    ids=["asked to close", "HTTP/1.0", "kept"],
)
def test_a_connection_stays_as_the_client_wants(edge: Counted, api: Api, request_: bytes, closes: bool) -> None:
    async def ask() -> tuple[bytes, bool]:
        wire = Wire(api.app, edge)
        sent = await wire.send(request_)
        closed = wire.transport.is_closing()
        wire.close()
        return sent, closed

    sent, closed = asyncio.run(ask())
    assert closed == closes
    assert (b"connection: close\r\n" in sent) == closes


def test_a_draining_server_closes_with_its_answer_and_answers_no_more(edge: Counted, api: Api) -> None:
    def drain(wire: Wire) -> None:
        wire.state.default_headers = [*wire.state.default_headers, CLOSE_HEADER]

    sent = exchange(api.app, edge, REQUEST + REQUEST, before=drain)
    assert statuses(sent) == [200]
    assert sent.count(b"connection: close\r\n") == 1
    assert edge.answered == 1


@pytest.mark.parametrize(
    "headers",
    [[("Connection", "Upgrade"), ("Upgrade", "h2c")], [("Expect", "100-continue")]],
    ids=["upgrade", "expect"],
)
def test_a_request_that_asks_for_more_goes_through_the_framework(
    edge: Counted, api: Api, headers: list[tuple[str, str]]
) -> None:
    exchange(api.app, edge, post("/predict", BODY, [JSON, *headers]))
    assert edge.answered == 0


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post("/predict", b"{}", [JSON]), 422),
        (post("/predict", BODY, []), 415),
        (post("/predict", BODY, [JSON, ("Content-Encoding", "gzip")]), 415),
        (post("/predict", BODY.ljust(PREDICT.most_body_bytes + 1), [JSON]), 413),
    ],
)
def test_a_refusal_is_given_at_once_too(edge: Counted, api: Api, request_: bytes, status: int) -> None:
    assert statuses(exchange(api.app, edge, request_)) == [status]
    assert edge.answered == 1


def test_a_body_in_chunks_goes_through_the_framework(edge: Counted, api: Api) -> None:
    head = (
        b"POST /predict HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    )
    assert statuses(exchange(api.app, edge, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))) == [200]
    assert edge.answered == 0


def test_a_client_that_reads_nothing_is_not_answered_without_end(edge: Counted, api: Api) -> None:
    def stop_reading(wire: Wire) -> None:
        wire.protocol.pause_writing()
        asyncio.get_running_loop().call_soon(wire.protocol.resume_writing)

    assert statuses(exchange(api.app, edge, REQUEST, before=stop_reading)) == [200]
    assert edge.answered == 0


def test_a_body_that_stops_coming_is_given_up(edge: Counted, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", 0.01)
    assert statuses(exchange(api.app, edge, REQUEST[:-1])) == [408]


def test_one_turn_answers_only_so_many(edge: Counted, api: Api) -> None:
    async def ask() -> tuple[list[bytes], bytes]:
        wires = [Wire(api.app, edge) for _ in range(MOST_WAITING + 1)]
        for wire in wires:
            wire.protocol.data_received(REQUEST)
        first = [wire.transport.sent for wire in wires]
        await asyncio.sleep(0)
        later = await wires[-1].send(REQUEST)
        for wire in wires:
            wire.close()
        return first, later

    first, later = asyncio.run(ask())
    assert [statuses(it) for it in first] == [[200]] * MOST_WAITING + [[503]]
    assert statuses(later) == [200]
    assert counted(api, 503) == 1


def counted(api: Api, status: int, path: str = "/predict") -> float:
    labels = {"handler": path, "method": "POST", "status": str(status)}
    return api.metrics.registry.get_sample_value("http_requests_total", labels) or 0.0


def test_one_who_sends_hundreds_at_once_takes_nobodys_turn(edge: Counted, api: Api) -> None:
    async def ask() -> tuple[int, bytes]:
        greedy, other = Wire(api.app, edge), Wire(api.app, edge)
        greedy.protocol.data_received(REQUEST * (2 * MOST_WAITING))
        at_once = edge.answered
        answer = await other.send(REQUEST)
        other.close()
        greedy.close()
        return at_once, answer

    at_once, answer = asyncio.run(ask())
    assert at_once == MOST_AT_ONCE
    assert statuses(answer) == [200]
    assert counted(api, 503) == 0


def test_who_sends_too_many_before_an_answer_is_answered_some_and_told_that_the_connection_ends(
    edge: Counted, api: Api
) -> None:
    sent = exchange(api.app, edge, REQUEST * 1000)
    answered = statuses(sent)
    # One is under way while the others wait for it.
    assert answered == [200] * (MOST_AT_ONCE + 1 + MOST_PIPELINED)
    assert sent.count(b"connection: close\r\n") == 1


def test_nothing_is_decided_that_would_be_answered_to_nobody(edge: Counted, api: Api) -> None:
    batch = post(
        "/predict/batch", json.dumps({"data": {"rows": [json.loads(BODY)["data"]["features"]]}}).encode(), [JSON]
    )

    def drain(wire: Wire) -> None:
        wire.state.default_headers = [*wire.state.default_headers, CLOSE_HEADER]

    assert statuses(exchange(api.app, edge, REQUEST + batch, before=drain)) == [200]
    assert counted(api, 200, "/predict/batch") == 0


def test_a_client_that_reads_nothing_is_not_refused_without_end(edge: Counted, api: Api) -> None:
    async def ask() -> bytes:
        others = [Wire(api.app, edge) for _ in range(MOST_WAITING // MOST_AT_ONCE + 1)]
        for other in others:
            other.protocol.data_received(REQUEST * MOST_AT_ONCE)
        silent = Wire(api.app, edge)
        silent.protocol.pause_writing()
        silent.protocol.data_received(REQUEST * 1000)
        sent = silent.transport.sent
        for wire in (*others, silent):
            wire.close()
        return sent

    assert asyncio.run(ask()) == b""


@pytest.mark.parametrize("path", ["/health", "/meta", "/livez"])
def test_head_is_answered_as_get_without_the_body(edge: Counted, api: Api, path: str) -> None:
    async def ask(method: str) -> bytes:
        wire = Wire(api.app, edge)
        sent = await wire.send(f"{method} {path} HTTP/1.1\r\nHost: api\r\nX-Request-ID: r-1\r\n\r\n".encode())
        wire.close()
        return sent

    def without_date(head: bytes) -> list[bytes]:
        return [line for line in head.split(b"\r\n") if not line.startswith(b"date")]

    got, _, body = asyncio.run(ask("GET")).partition(b"\r\n\r\n")
    head, _, nothing = asyncio.run(ask("HEAD")).partition(b"\r\n\r\n")
    assert body
    assert nothing == b""
    assert without_date(head) == without_date(got)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (post("/predict?a=b", BODY, [JSON]), 503),
        (post("/predict/batch", BODY, [JSON]), 503),
        (PROBE, 200),
        (b"HEAD /predict HTTP/1.1\r\nHost: api\r\n\r\n", 405),
    ],
    ids=["with a query", "batch", "probe", "no decision"],
)
def test_only_decisions_are_refused_where_too_many_wait(edge: Counted, api: Api, asked: bytes, status: int) -> None:
    async def ask() -> bytes:
        wires = [Wire(api.app, edge) for _ in range(MOST_WAITING // MOST_AT_ONCE + 1)]
        for wire in wires:
            wire.protocol.data_received(REQUEST * MOST_AT_ONCE)
        last = Wire(api.app, edge)
        sent = await last.send(asked)
        for wire in (*wires, last):
            wire.close()
        return sent

    assert statuses(asyncio.run(ask())) == [status]
    assert b"a=b" not in generate_latest(api.metrics.registry)


def test_a_refusal_by_a_draining_server_says_that_it_closes(edge: Counted, api: Api) -> None:
    async def ask() -> bytes:
        wires = [Wire(api.app, edge) for _ in range(MOST_WAITING // MOST_AT_ONCE + 1)]
        for wire in wires:
            wire.protocol.data_received(REQUEST * MOST_AT_ONCE)
        late = Wire(api.app, edge)
        late.protocol.app_state["draining"] = True
        sent = await late.send(REQUEST)
        assert late.transport.ended
        for wire in (*wires, late):
            wire.close()
        return sent

    sent = asyncio.run(ask())
    assert statuses(sent) == [503]
    assert b"connection: close\r\n" in sent


@pytest.mark.parametrize("trailers", [b"a: b\r\n" * 20_000, b"a: " + b"b" * 100_000], ids=["many", "endless"])
def test_trailers_without_end_are_cut_off_and_not_kept(edge: Counted, api: Api, trailers: bytes) -> None:
    chunked = b"POST /predict/batch HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"

    async def ask() -> tuple[bytes, int]:
        wire = Wire(api.app, edge)
        pieces = [trailers[at : at + 4096] for at in range(0, len(trailers), 4096)]
        for piece in (chunked, *pieces):
            if not wire.transport.is_closing():
                wire.protocol.data_received(piece)
        sent, headers = wire.transport.sent, len(wire.protocol.headers)
        wire.close()
        return sent, headers

    sent, headers = asyncio.run(ask())
    assert statuses(sent) == [431]
    assert headers == 2


def test_pieces_of_a_large_body_are_no_trailers(edge: Counted, api: Api) -> None:
    rows = json.dumps({"data": {"rows": [ROW] * 2000}}).encode()
    pieces = [b"%x\r\n%s\r\n" % (len(rows[at : at + 8]), rows[at : at + 8]) for at in range(0, len(rows), 8)]
    head = b"POST /predict/batch HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/json\r\n\r\n"
    assert statuses(exchange(api.app, edge, head, b"".join(pieces) + b"0\r\n\r\n")) == [200]


def test_a_request_that_names_itself_goes_the_way_on_which_it_can_wait(edge: Counted, api: Api) -> None:
    named = post("/predict", BODY, [JSON, ("Idempotency-Key", "two words")])
    assert statuses(exchange(api.app, edge, REQUEST + named + REQUEST)) == [200, 400, 200]
    assert edge.answered >= 1
    assert counted(api, 400) == 1


def test_a_defect_is_answered_counted_and_told_once(
    edge: Counted, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: bytes) -> list[float]:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Reader, "read", broken)
    sent = exchange(api.app, edge, REQUEST)
    assert statuses(sent) == [500]
    assert b"x-request-id: " in sent
    assert counted(api, 500) == 1
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
