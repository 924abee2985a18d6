import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.errors import ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.models.pointer import Pointer
from app.serving.live.alias_reader import AliasReader, alias_reader
from app.settings import MlflowSettings

Respond = Callable[[httpx.Request], httpx.Response]
FOUND = {"model_version": {"name": "m", "version": "3", "run_id": "abc"}}


def read(respond: Respond, settings: MlflowSettings | None = None) -> Pointer:
    async def ask() -> Pointer:
        reader = AliasReader(
            settings or MlflowSettings(tracking_uri="http://mlflow:5000"),
            "m",
            "production",
            httpx.MockTransport(respond),
        )
        try:
            return await reader.read()
        finally:
            await reader.close()

    return asyncio.run(ask())


def test_asks_for_the_alias_in_one_request() -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=FOUND)

    assert read(respond) == Pointer("m", "3", "abc")
    assert asked == ["http://mlflow:5000/api/2.0/mlflow/registered-models/alias?name=m&alias=production"]


@pytest.mark.parametrize(("status", "code"), [(400, "INVALID_PARAMETER_VALUE"), (404, "RESOURCE_DOES_NOT_EXIST")])
def test_an_alias_or_a_model_that_does_not_exist_is_missing(status: int, code: str) -> None:
    with pytest.raises(ModelMissing, match="alias 'production' of 'm' points to no version"):
        read(lambda _: httpx.Response(status, json={"error_code": code}))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(404, text="no such page"),
        httpx.Response(404, json=["not found"]),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
    ],
    ids=["error", "a proxy", "another server", "a page", "another shape"],
)
def test_an_answer_of_no_use_is_unavailable(answer: httpx.Response) -> None:
    with pytest.raises(ModelUnavailable, match=f"status {answer.status_code}") as caught:
        read(lambda _: answer)
    assert type(caught.value) is ModelUnavailable


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_with_the_variables_that_mend_them(status: int) -> None:
    with pytest.raises(ModelForbidden, match=f"MLFLOW_TRACKING_USERNAME .* \\(status {status}\\)"):
        read(lambda _: httpx.Response(status, text="no"))


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({}, None),
        ({"username": "reader", "password": "secret"}, "Basic cmVhZGVyOnNlY3JldA=="),
        ({"token": "abc"}, "Bearer abc"),
        ({"username": "reader", "password": "secret", "token": "abc"}, "Basic cmVhZGVyOnNlY3JldA=="),
    ],
    ids=["none", "password", "token", "both, as MLflow's client"],
)
def test_it_shows_the_credentials_of_the_settings(credentials: dict[str, Any], sent: str | None) -> None:
    shown: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        shown.append(request.headers.get("Authorization"))
        return httpx.Response(200, json=FOUND)

    read(respond, MlflowSettings(tracking_uri="http://mlflow:5000", **credentials))
    assert shown == [sent]


def test_what_the_tags_say_comes_with_the_version() -> None:
    tags = [
        {"key": "gate", "value": "passed"},
        {"key": "gate_digest", "value": "d1"},
        {"key": "document", "value": "runs:/0a/document.json"},
        {"key": "document_digest", "value": "d2"},
        {"key": "owner", "value": "risk"},
    ]
    found = {"model_version": FOUND["model_version"] | {"status": "READY", "tags": tags}}
    expected = Pointer("m", "3", "abc", "READY", "passed", "d1", "runs:/0a/document.json", "d2")
    assert read(lambda _: httpx.Response(200, json=found)) == expected


DOCUMENTED = Pointer("m", "3", "abc", document="runs:/0a/document.json", document_digest="d2")


def fetch(respond: Respond, pointer: Pointer = DOCUMENTED, most_bytes: int = 100) -> bytes | None:
    async def ask() -> bytes | None:
        settings = MlflowSettings(tracking_uri="http://mlflow:5000")
        reader = AliasReader(settings, "m", "production", httpx.MockTransport(respond))
        try:
            return await reader.document(pointer, most_bytes)
        finally:
            await reader.close()

    return asyncio.run(ask())


def test_fetches_the_document_through_the_server() -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=b"{}")

    assert fetch(respond) == b"{}"
    assert asked == ["http://mlflow:5000/get-artifact?run_uuid=0a&path=document.json"]


def test_without_a_document_nobody_is_asked() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    assert fetch(respond, Pointer("m", "3", "abc")) is None


def test_a_document_that_the_server_does_not_hand_on_is_none() -> None:
    assert fetch(lambda _: httpx.Response(404)) is None


def test_a_document_over_the_limit_is_refused() -> None:
    with pytest.raises(ModelRefused, match=r"larger than serving\.pull_megabytes"):
        fetch(lambda _: httpx.Response(200, content=bytes(101)))


def test_a_connection_that_breaks_is_unavailable() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken")

    with pytest.raises(ModelUnavailable, match="cannot be reached: broken"):
        fetch(respond)


def test_a_registry_that_cannot_be_reached_is_unavailable() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(ModelUnavailable, match="cannot be reached: connection refused"):
        read(respond)


@pytest.mark.parametrize(
    ("model_uri", "tracking_uri", "followed"),
    [
        ("models:/m@production", "http://mlflow:5000", True),
        ("models:/m@production", "https://mlflow", True),
        ("models:/m@production", "sqlite:///mlflow.db", False),
        ("models:/m/7", "http://mlflow:5000", False),
        ("runs:/0123abcd/model", "http://mlflow:5000", False),
    ],
)
def test_only_an_alias_on_a_server_is_followed(model_uri: str, tracking_uri: str, followed: bool) -> None:
    assert (alias_reader(model_uri, MlflowSettings(tracking_uri=tracking_uri)) is not None) is followed
