import json
import logging

import pytest
from starlette.exceptions import HTTPException

from app.errors import CreditError
from app.serving.api.schema import FieldError, Problem
from app.serving.http.bounds import SHED
from app.serving.http.problems import OVERLOADED, TOO_MANY, TYPES, described, problem, problem_of, title_of
from app.settings import ROOT
from tests.support.fakes import Api, constant_model, failing_model, json_file


def test_a_problem_is_problem_json_with_the_status_in_number_and_words() -> None:
    status, headers, content = problem(413, "too much")
    assert status == 413
    assert headers == [(b"content-length", b"%d" % len(content)), (b"content-type", b"application/problem+json")]
    body = json.loads(content)
    assert (body["status"], body["title"], body["type"]) == (413, "Content Too Large", "/problems/too-large")


def test_every_type_has_a_page_at_the_server_and_every_page_is_in_the_documentation() -> None:
    api = Api(constant_model(0.3))
    names = {*TYPES.values(), OVERLOADED}
    assert {it.stem for it in (ROOT / "app" / "serving" / "api" / "problem_pages").glob("*.md")} == names
    listed = (ROOT / "docs" / "problems.md").read_text()
    for status, name in [*TYPES.items(), (503, OVERLOADED)]:
        page = api.get(f"/problems/{name}")
        assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert page.text.startswith(f"# {title_of(status)} ({status}): {name}\n")
        assert "**What to do.**" in page.text
        assert f"`/problems/{name}`" in listed
    for name in ("nothing", "..%2Fschema"):
        assert api.get(f"/problems/{name}").status_code == 404


def test_a_status_without_a_type_is_what_http_says_it_is() -> None:
    assert json.loads(problem(418, "no")[2])["type"] == "about:blank"


def test_too_many_is_told_apart_from_what_is_away() -> None:
    refused, away = (problem_of(HTTPException(503, detail)) for detail in (TOO_MANY, "no model"))
    assert [json.loads(it[2])["type"] for it in (refused, away)] == ["/problems/overloaded", "/problems/unavailable"]
    assert b'"/problems/overloaded"' in SHED


def test_errors_are_listed_only_when_there_are_any() -> None:
    assert "errors" not in json.loads(problem(404, "no")[2])
    _, _, listed = problem(422, "no", errors=[FieldError(pointer="/a", detail="b")])
    assert json.loads(listed)["errors"] == [{"pointer": "/a", "detail": "b"}]


def test_what_nobody_caught_answers_500_and_logs_where_it_happened_but_not_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = Api(failing_model("income 5400 broke it")).post("/predict", json_file("request.json"))
    told = Problem.model_validate(answer.json())
    assert (answer.status_code, told.request_id) == (500, answer.headers["X-Request-ID"])
    (logged,) = [vars(record)["error"] for record in caplog.records if record.name == "app.serving.http.problems"]
    assert "in scorer" in logged
    assert "ArithmeticError" in logged
    assert "5400" not in logged + answer.text


def test_the_text_of_our_own_errors_is_logged() -> None:
    assert described(CreditError("setting x is bad")).endswith("CreditError: setting x is bad")


def test_an_unknown_path_and_a_wrong_method_answer_in_the_same_shape() -> None:
    api = Api(constant_model(0.3))
    assert Problem.model_validate(api.get("/nowhere").json()).status == 404
    wrong = api.get("/predict")
    assert Problem.model_validate(wrong.json()).status == 405
    assert wrong.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/predict", "POST, OPTIONS"), ("/health", "GET, HEAD, OPTIONS"), ("/decisions/1", "GET, HEAD, OPTIONS")],
)
def test_options_says_which_methods_a_path_has(path: str, allowed: str) -> None:
    answer = Api(constant_model(0.3)).request("OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, allowed, b"")
    assert "X-Request-ID" in answer.headers


def test_options_of_nothing_is_404() -> None:
    assert Api(constant_model(0.3)).request("OPTIONS", "/nowhere").status_code == 404


def test_the_detail_of_many_errors_says_how_many() -> None:
    answer = Api(constant_model(0.3)).post("/predict", {"data": {"features": ["x"] * 11}})
    assert answer.json()["detail"] == "row_number must be a number; 11 errors in all"
