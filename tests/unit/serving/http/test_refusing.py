"""Refusals come in their turn, and end the connection."""

import asyncio
import json
import re

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.serving.http import limits
from app.serving.http.limits import LimitedBody
from app.serving.http.paths import BATCH, PREDICT
from app.serving.http.workload import MOST_HELD_BYTES, MOST_WAITING, Load
from tests.support.fakes import Api, constant_model, json_file
from tests.support.wire import Wire, exchange, post

BODY = json.dumps(json_file("request.json")).encode()
JSON = ("Content-Type", "application/json")
ROWS = {"data": {"rows": [json.loads(BODY)["data"]["features"]] * 200}}
BATCHED = post("/predict/batch", json.dumps(ROWS).encode(), [JSON])


@pytest.fixture
def api() -> Api:
    return Api(constant_model(0.3))


def statuses(answers: bytes) -> list[int]:
    return [int(it) for it in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


@pytest.mark.parametrize("nonsense", [b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000])
def test_a_refusal_does_not_overtake_answers_that_are_due_before_it(api: Api, nonsense: bytes) -> None:
    sent = exchange(api.app, api.edge, BATCHED + BATCHED, nonsense)
    assert statuses(sent) in ([200, 200, 400], [200, 200, 431])


def test_a_request_that_is_not_whole_is_not_waited_for(api: Api) -> None:
    head = b"POST /predict/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    assert statuses(exchange(api.app, api.edge, head)) == [400]
    assert statuses(exchange(api.app, api.edge, BATCHED + head)) == [200, 400]


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_request_for_another_protocol_with_a_body_is_refused_and_does_not_hang(api: Api, pieces: int) -> None:
    upgrade = [JSON, ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
    whole = post("/predict", BODY, upgrade)
    cut = len(whole) - len(BODY)
    sent = exchange(api.app, api.edge, *([whole] if pieces == 1 else [whole[:cut], whole[cut:]]))
    assert statuses(sent) == [400]
    assert b"without the header Upgrade" in sent


def test_a_request_for_another_protocol_without_a_body_is_answered_as_ever(api: Api) -> None:
    upgrade = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(exchange(api.app, api.edge, upgrade)) == [200]


def body_of(*pieces: bytes, load: Load, endpoint: object = BATCH) -> LimitedBody:
    messages = [{"type": "http.request", "body": it, "more_body": True} for it in pieces]
    messages[-1]["more_body"] = False

    async def receive() -> Message:
        return messages.pop(0)

    return LimitedBody(endpoint, "POST", {b"content-length": b"9"}, receive, load)  # type: ignore[arg-type]


def test_large_bodies_are_refused_while_others_hold_too_much_and_small_ones_are_not() -> None:
    async def read() -> None:
        load = Load()
        load.held_bytes = MOST_HELD_BYTES
        with pytest.raises(HTTPException) as raised:
            await body_of(b" " * 70_000, b"", load=load)()
        assert (raised.value.status_code, raised.value.headers) == (503, {"retry-after": "1"})
        assert load.held_bytes == MOST_HELD_BYTES
        small = body_of(BODY, load=load, endpoint=PREDICT)
        assert (await small())["body"] == BODY
        small.release()
        assert load.held_bytes == MOST_HELD_BYTES

    asyncio.run(read())


def test_decisions_count_once_their_body_is_complete_by_its_length() -> None:
    async def read() -> None:
        load = Load()
        batches = [body_of(b" " * 400_000, b"", load=load) for _ in range(12)]
        for it in batches:
            await it()
        assert not load.too_high
        for it in batches[:11]:
            await it()
        with pytest.raises(HTTPException, match="503"):
            await batches[11]()
        for it in batches:
            it.release()
        await asyncio.sleep(0)
        assert load.held_bytes == 0
        assert not load.too_high

    asyncio.run(read())


def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def read() -> None:
        body = LimitedBody(BATCH, "POST", {}, receive, Load())
        with pytest.raises(HTTPException, match="408: the body was not complete within"):
            await whole(body)

    asyncio.run(read())


async def whole(body: LimitedBody) -> None:
    while (await body())["more_body"]:
        pass


@pytest.mark.parametrize("path", ["/predict", "/%70redict", "http://x/predict", "/predict?a=b"])
def test_every_spelling_of_a_path_meets_the_same_limit(api: Api, path: str) -> None:
    async def ask() -> bytes:
        wire = Wire(api.app, api.edge)
        api.edge.load.begin(MOST_WAITING)
        sent = await wire.send(post(path, BODY, [JSON]))
        wire.close()
        return sent

    assert statuses(asyncio.run(ask())) == [503]
