from uuid import UUID

import pytest

from tests.support.fakes import Api, constant_model


@pytest.mark.parametrize("sent", ["a", "trace-1.2_3", "x" * 128])
def test_takes_a_sane_id_of_the_callers(sent: str) -> None:
    assert Api().get("/livez", {"X-Request-ID": sent}).headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a\u00e4", '{"a":1}', "a;b"])
def test_makes_an_id_where_the_callers_is_none(sent: str) -> None:
    answer = Api().request("GET", "/livez", headers={b"X-Request-ID": sent.encode("latin-1")})
    assert UUID(answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/predict", 405), ("GET", "/boom", 500), ("GET", "/health", 503)],
)
def test_every_error_carries_the_id_in_header_and_body(method: str, path: str, status: int) -> None:
    answer = Api().request(method, path, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["X-Request-ID"], answer.json()["request_id"]) == (status, "mine", "mine")


def test_a_body_that_is_too_large_is_refused_under_the_callers_id() -> None:
    headers = {"X-Request-ID": "mine", "Content-Type": "application/json"}
    answer = Api(constant_model(0.3)).request("POST", "/predict", content=b" " * 70_000, headers=headers)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (413, "mine")
