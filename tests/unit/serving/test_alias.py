import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.errors import ModelUnavailable
from app.serving.alias import AliasReader, Pointer, alias_reader
from tests.fakes import settings_for

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


@pytest.mark.parametrize("status", [400, 404])
def test_an_alias_that_names_nothing_is_unavailable(status: int) -> None:
    with pytest.raises(ModelUnavailable, match="alias 'production' of 'm' points to no version"):
        read(lambda _: httpx.Response(status, json={"error_code": "RESOURCE_DOES_NOT_EXIST"}))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403, text="no"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
    ],
    ids=["error", "forbidden", "a page", "another shape"],
)
def test_an_answer_of_no_use_is_unavailable(answer: httpx.Response) -> None:
    with pytest.raises(ModelUnavailable, match=f"status {answer.status_code}"):
        read(lambda _: answer)


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
def test_only_an_alias_on_a_server_is_followed(
    tmp_path: Path, model_uri: str, tracking_uri: str, followed: bool
) -> None:
    settings = settings_for(tmp_path, model_uri=model_uri, tracking_uri=tracking_uri)
    assert (alias_reader(settings) is not None) is followed
