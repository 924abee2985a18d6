"""Where keys are wanted, a request without the right one is answered before anything of it is read."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from app.audit.store.database import open_engine
from app.audit.store.schema.migrating import migrate
from app.callers.known import Callers, Scope
from app.metrics import Metrics
from app.serving.api.schema import Problem
from app.serving.http.access import admit
from app.serving.http.paths import ENDPOINTS
from app.serving.http.rate_limits import RateLimits
from app.settings import Settings
from app.times import Month
from harness.servers import audit_in
from tests.support.fakes import Api, caller, constant_model, json_file
from tests.support.records import NOON

REQUEST = json_file("request.json")
BATCH = {"data": {"rows": [REQUEST["data"]["features"]]}}
CALLERS = Callers(
    (
        caller("office", "cdk_office", "predict"),
        caller("auditor", "cdk_auditor", "read"),
        caller("both", "cdk_both", "predict", "read"),
    )
)
DECISIONS = [("/predict", REQUEST), ("/predict/batch", BATCH)]
RECORD = "/decisions/0197f6a5-0000-7000-8000-000000000000"


def with_keys() -> Api:
    return Api(constant_model(0.3), callers=CALLERS)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def counted(api: Api, caller: str, outcome: str) -> float | None:
    labels = {"caller": caller, "outcome": outcome}
    return api.metrics.registry.get_sample_value("credit_requests_by_caller_total", labels)


def decided(api: Api) -> float:
    return sum(s.value for it in api.metrics.decisions.collect() for s in it.samples if s.name.endswith("_total"))


@pytest.mark.parametrize(("path", "body"), DECISIONS)
@pytest.mark.parametrize("key", ["cdk_office", "cdk_both"])
def test_a_key_with_the_scope_predict_is_answered(path: str, body: Any, key: str) -> None:
    assert with_keys().post(path, body, bearer(key)).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    headers = {"Authorization": f"{scheme}  cdk_office "}
    assert with_keys().post("/predict", REQUEST, headers).status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", RECORD, "/nothing", "/"])
@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ([], "no_key"),
        ([("Authorization", "")], "no_key"),
        ([("Authorization", "Bearer")], "no_key"),
        ([("Authorization", "Bearer ")], "no_key"),
        ([("Authorization", "cdk_both")], "no_key"),
        ([("Authorization", "Basic Y2RrX2JvdGg6")], "no_key"),
        ([("Authorization", "Bearer cdk_both"), ("Authorization", "Bearer cdk_both")], "no_key"),
        ([("Authorization", "Bearer cdk_nobody")], "unknown_key"),
        ([("Authorization", "Bearer cdk_both, Bearer cdk_both")], "unknown_key"),
        ([("Authorization", "Bearer CDK_BOTH")], "unknown_key"),
        ([("X-Api-Key", "cdk_both")], "no_key"),
    ],
)
def test_without_a_known_key_the_answer_is_401_and_nothing_is_decided(
    path: str, headers: list[tuple[str, str]], outcome: str
) -> None:
    api = with_keys()
    answer = api.request("POST", path, json=REQUEST, headers=headers)
    told = Problem.model_validate(answer.json())
    assert (answer.status_code, told.status, answer.headers["WWW-Authenticate"]) == (401, 401, "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == told.request_id
    assert (counted(api, "", outcome), decided(api)) == (1, 0)


@pytest.mark.parametrize(("path", "body"), DECISIONS)
def test_a_key_without_the_scope_predict_is_answered_403(path: str, body: Any) -> None:
    api = with_keys()
    answer = api.post(path, body, bearer("cdk_auditor"))
    assert Problem.model_validate(answer.json()).status == answer.status_code == 403
    assert "scope predict" in answer.json()["detail"]
    assert (counted(api, "auditor", "out_of_scope"), decided(api)) == (1, 0)


def test_a_key_without_the_scope_read_learns_nothing_of_the_record(tmp_path: Path) -> None:
    audit = audit_in(tmp_path)
    migrate(open_engine(audit.database_uri, create=True), Month.of(NOON))
    api = Api(constant_model(0.3), Settings(audit=audit), CALLERS)
    hidden = api.get(RECORD, bearer("cdk_office") | {"X-Request-ID": "same"})
    missing = api.get(f"{RECORD[:-1]}1", bearer("cdk_both") | {"X-Request-ID": "same"})
    assert (hidden.status_code, hidden.content, hidden.headers) == (404, missing.content, missing.headers)
    assert counted(api, "office", "out_of_scope") == 1


@pytest.mark.parametrize(
    "path", [it.template for it in ENDPOINTS if it.scope is None and "{" not in it.template] + ["/docs/swagger-ui.css"]
)
def test_what_is_open_needs_no_key(path: str) -> None:
    without, with_ = Api(constant_model(0.3)).get(path), with_keys().get(path)
    assert with_.status_code == without.status_code in (200, 500)


@pytest.mark.parametrize(
    "path",
    [
        "/predict%0A",
        "/predict/",
        "//predict",
        "/predict/batch%0A",
        "/./predict",
        "/PREDICT",
        "/health/../predict",
        "/docs%2F../predict",
        "/health%0A",
    ],
)
def test_no_other_spelling_of_a_path_gets_past(path: str) -> None:
    api = with_keys()
    for headers in ({}, bearer("cdk_auditor")):
        status = api.request("POST", path, json=REQUEST, headers=headers).status_code
        assert status in (401, 403, 404)
    assert decided(api) == 0


def test_where_no_keys_are_wanted_a_key_is_not_looked_at() -> None:
    api = Api(constant_model(0.3))
    assert api.post("/predict", REQUEST, bearer("cdk_nobody")).status_code == 200
    assert counted(api, "", "unknown_key") == 0


def test_the_caller_is_counted_by_name() -> None:
    api = with_keys()
    for _ in range(3):
        api.post("/predict", REQUEST, bearer("cdk_office"))
    assert counted(api, "office", "let_in") == 3


def test_nothing_of_the_body_is_read_before_the_key_is_known() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        assert sent, "the body was asked for before the answer"
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"application/json"), (b"content-length", b"999999999")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}
    asyncio.run(with_keys().app(scope, receive, send))
    assert sent[0]["status"] == 401


@pytest.mark.parametrize("needed", ["predict", "read"])
@pytest.mark.parametrize("name", ["office", "auditor", "both", "nobody"])
def test_who_asks_is_known_whether_let_in_or_not(needed: Scope, name: str) -> None:
    known = {caller.name: caller.scopes for caller in CALLERS.known}
    headers = [(b"authorization", f"Bearer cdk_{name}".encode())]
    counter = Metrics(0.05).requests_by_caller
    found, refusal, _ = admit(CALLERS, RateLimits(), needed, needed == "read", headers, counter)
    assert found == (name if name in known else None)
    assert (refusal is None) == (needed in known.get(name, ()))
