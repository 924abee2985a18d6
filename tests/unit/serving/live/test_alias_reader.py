import asyncio
from collections.abc import Callable

import httpx
import pytest

from app.errors import ModelMissing, ModelUnavailable
from app.serving.live.alias_reader import AliasReader, Pointer, alias_reader

Respond = Callable[[httpx.Request], httpx.Response]
FOUND = {"model_version": {"name": "m", "version": "3", "run_id": "abc"}}


def read(respond: Respond) -> Pointer:
    async def ask() -> Pointer:
        reader = AliasReader("http://mlflow:5000", "m", "production", httpx.MockTransport(respond))
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
        httpx.Response(403, text="no"),
        httpx.Response(404, text="no such page"),
        httpx.Response(404, json=["not found"]),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
    ],
    ids=["error", "forbidden", "a proxy", "another server", "a page", "another shape"],
)
def test_an_answer_of_no_use_is_unavailable(answer: httpx.Response) -> None:
    with pytest.raises(ModelUnavailable, match=f"status {answer.status_code}") as caught:
        read(lambda _: answer)
    assert type(caught.value) is ModelUnavailable


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
    assert (alias_reader(model_uri, tracking_uri) is not None) is followed
