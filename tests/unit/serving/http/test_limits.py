import json
from collections.abc import AsyncIterator

import pytest

from app.serving.api.inputs import MOST_ROWS
from app.serving.api.schema import Problem
from app.serving.http.paths import BATCH, PREDICT
from tests.support.fakes import Api, constant_model, json_file

JSON = {"Content-Type": "application/json"}


async def streamed(size: int) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(0, size, 1000):
        yield b" " * 1000


@pytest.mark.parametrize(("path", "limit"), [(it.template, it.most_body_bytes) for it in (PREDICT, BATCH)])
def test_a_body_over_its_paths_limit_is_refused_by_its_declared_length(path: str, limit: int) -> None:
    answer = Api(constant_model(0.3)).request("POST", path, content=b" " * (limit + 1), headers=JSON)
    assert Problem.model_validate(answer.json()).status == 413


@pytest.mark.parametrize(("path", "limit"), [(it.template, it.most_body_bytes) for it in (PREDICT, BATCH)])
def test_a_body_over_its_paths_limit_is_refused_while_it_is_read(path: str, limit: int) -> None:
    answer = Api(constant_model(0.3)).request("POST", path, content=streamed(limit + 1000), headers=JSON)
    assert Problem.model_validate(answer.json()).status == 413


def test_a_body_of_exactly_the_limit_is_read() -> None:
    body = json.dumps(json_file("request.json")).encode().ljust(PREDICT.most_body_bytes)
    assert Api(constant_model(0.3)).request("POST", "/predict", content=body, headers=JSON).status_code == 200


def test_the_largest_batch_of_long_numbers_is_within_the_limit() -> None:
    row = [-1.7976931348623157e308] * 11
    body = json.dumps({"data": {"rows": [row] * MOST_ROWS}}).encode()
    assert len(body) < BATCH.most_body_bytes
