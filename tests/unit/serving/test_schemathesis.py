"""Requests made from the OpenAPI document, good and bad: nothing but /boom may fail, all is as documented."""

import tempfile
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from app.audit.store.database import open_engine
from app.audit.store.schema.migrating import migrate
from app.callers.known import Callers
from app.serving.api.idempotency import KEY
from app.settings import AuditSettings, Settings
from app.times import Month
from tests.support.fakes import Api, caller, constant_model
from tests.support.records import NOON

FOLDER = tempfile.TemporaryDirectory()
DATABASE = f"sqlite:///{FOLDER.name}/decisions.db"
migrate(open_engine(DATABASE, create=True), Month.of(NOON))
SETTINGS = Settings(audit=AuditSettings(database_uri=DATABASE))
API = Api(constant_model(0.3), SETTINGS)
OFFICE = Callers((caller("office", "cdk_office", "predict", "read"),))
GUARDED = Api(constant_model(0.3), SETTINGS, callers=OFFICE)
schema = schemathesis.openapi.from_asgi("/openapi.json", API.app)
guarded = schemathesis.openapi.from_asgi("/openapi.json", GUARDED.app)
EXAMPLES = 100


def sendable(case: Case[Any]) -> Case[Any]:
    """Without what is refused for reasons that no schema can say."""
    if case.headers and KEY.fullmatch(case.headers.get("Idempotency-Key", "").encode()):
        # The same key with another body.
        case.headers["Idempotency-Key"] = uuid4().hex
    if case.query and isinstance(case.query.get("cursor"), str):
        # One that no answer gave.
        del case.query["cursor"]
    body: Any = case.body
    match body:
        case {"application_ids": [*ids], "data": {"rows": [*rows]}} if ids:
            # One id a row.
            body["application_ids"] = [ids[at % len(ids)] for at in range(len(rows))]
    return case


@schema.exclude(path="/boom").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented_and_none_is_a_failure(case: Case[Any]) -> None:
    sendable(case).call_and_validate()


@guarded.exclude(path="/boom").parametrize()
@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented_where_keys_are_wanted_with_one_and_without(case: Case[Any]) -> None:
    # What is asked without a key is good or bad, and refused all the same.
    excluded = [schemathesis.checks.positive_data_acceptance]
    sendable(case).call_and_validate(excluded_checks=excluded)
    sendable(case).call_and_validate(headers={"Authorization": "Bearer cdk_office"})


@schema.include(path="/boom").parametrize()
@settings(max_examples=5, deadline=None)
def test_boom_fails_as_documented(case: Case[Any]) -> None:
    case.call_and_validate(excluded_checks=[schemathesis.checks.not_a_server_error])
