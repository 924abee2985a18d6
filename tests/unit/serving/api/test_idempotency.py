"""A request that is sent again under its key is decided on once, whichever server it comes to."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.audit.store.database import open_engine
from app.audit.store.lookup import store_of
from app.audit.store.schema.migrating import migrate
from app.serving.api.schema import Problem
from app.settings import AuditSettings, Settings
from app.times import Month, microseconds_now
from tests.support.fakes import Api, constant_model
from tests.support.journals import keys
from tests.support.records import ROW

ONE = {"data": {"features": [0, *ROW]}}
MANY = {"data": {"rows": [[0, *ROW]] * 150}}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture
def replicas(tmp_path: Path) -> list[Api]:
    """Two servers over one database, each with a journal of its own."""
    uri = f"sqlite:///{tmp_path / 'decisions.db'}"
    engine = open_engine(uri, create=True)
    migrate(engine, Month.of(microseconds_now()))
    engine.dispose()
    store_of.cache_clear()
    return [
        Api(
            constant_model(0.1),
            settings=Settings(audit=AuditSettings(database_uri=uri, journal_dir=tmp_path / name)),
            recorded=True,
        )
        for name in ("one", "two")
    ]


def decided(tmp_path: Path) -> int:
    """How many decisions there are."""
    folders = (it for it in (tmp_path / "one", tmp_path / "two") if it.exists())
    return sum(len(keys(folder, "decision")) for folder in folders)


@pytest.mark.parametrize(("path", "body", "count"), [("/predict", ONE, 1), ("/predict/batch", MANY, 150)])
def test_the_same_request_gets_the_same_answer_from_any_server(
    replicas: list[Api], tmp_path: Path, path: str, body: Any, count: int
) -> None:
    answers = [api.post(path, body, KEY) for api in (*replicas, *replicas)]
    assert {it.status_code for it in answers} == {200}
    assert len({it.content for it in answers}) == 1
    assert len({it.headers.get("X-Decision-ID") for it in answers}) == 1
    assert len({it.headers["X-Request-ID"] for it in answers}) == 4
    assert {it.headers["Cache-Control"] for it in answers} == {"no-store"}
    assert decided(tmp_path) == count


def test_a_key_in_quotes_is_the_same(replicas: list[Api], tmp_path: Path) -> None:
    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    assert replicas[0].post("/predict", ONE, KEY).content == replicas[1].post("/predict", ONE, quoted).content
    assert decided(tmp_path) == 1


def test_another_body_or_path_under_the_key_is_refused_or_another_request(replicas: list[Api], tmp_path: Path) -> None:
    replicas[0].post("/predict", ONE, KEY)
    other = replicas[1].post("/predict", {**ONE, "application_id": "A-1"}, KEY)
    assert (other.status_code, "take a new key" in Problem.model_validate(other.json()).detail) == (422, True)
    assert replicas[1].post("/predict/batch", {"data": {"rows": [[0, *ROW]]}}, KEY).status_code == 200
    assert decided(tmp_path) == 2


def test_while_the_first_is_being_answered_the_second_is_409(
    replicas: list[Api], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both() -> list[int]:
        transports = [httpx.ASGITransport(api.app, raise_app_exceptions=False) for api in replicas]
        first, second = (httpx.AsyncClient(transport=it, base_url="http://api") for it in transports)
        begun, go = asyncio.Event(), asyncio.Event()
        to_thread = asyncio.to_thread

        async def held(function: Any, *arguments: Any) -> Any:
            if function.__name__ == "keep":
                begun.set()
                await go.wait()
            return await to_thread(function, *arguments)

        monkeypatch.setattr(asyncio, "to_thread", held)
        asking = asyncio.create_task(first.post("/predict", json=ONE, headers=KEY))
        await begun.wait()
        early = await second.post("/predict", json=ONE, headers=KEY)
        go.set()
        answered = await asking
        late = await second.post("/predict", json=ONE, headers=KEY)
        assert early.headers["Retry-After"] == "1"
        assert late.content == answered.content
        return [answered.status_code, early.status_code, late.status_code]

    assert asyncio.run(both()) == [200, 409, 200]
    assert decided(tmp_path) == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
def test_a_key_that_is_none_is_refused(replicas: list[Api], tmp_path: Path, key: str) -> None:
    answer = replicas[0].post("/predict", ONE, {"Idempotency-Key": key})
    assert (answer.status_code, "Idempotency-Key" in answer.json()["detail"]) == (400, True)
    assert decided(tmp_path) == 0


def test_a_refusal_is_not_kept(replicas: list[Api], tmp_path: Path) -> None:
    assert replicas[0].post("/predict", {"data": {}}, KEY).status_code == 422
    assert replicas[0].post("/predict/batch", {"data": {"rows": []}}, KEY).status_code == 422
    assert replicas[1].post("/predict", ONE, KEY).status_code == 200
    assert decided(tmp_path) == 1


def test_without_the_database_nothing_is_decided_under_a_key(tmp_path: Path) -> None:
    store_of.cache_clear()
    audit = AuditSettings(database_uri="postgresql://credit@127.0.0.1:1/credit", journal_dir=tmp_path / "one")
    api = Api(constant_model(0.1), settings=Settings(audit=audit), recorded=True)
    answer = api.post("/predict", ONE, KEY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "127.0.0.1" not in answer.text
    assert decided(tmp_path) == 0
    assert api.post("/predict", ONE).status_code == 200


def test_without_a_record_nobody_knows_what_was_asked_before() -> None:
    answer = Api(constant_model(0.1), settings=Settings(audit=AuditSettings(enabled=False))).post("/predict", ONE, KEY)
    assert (answer.status_code, "leave Idempotency-Key out" in answer.text) == (422, True)
