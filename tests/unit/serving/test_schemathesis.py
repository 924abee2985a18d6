"""Requests made from the OpenAPI document, good and bad: nothing but /boom may fail, all is as documented."""

import tempfile
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from app.audit.database import open_engine
from app.audit.months import Month
from app.audit.schema.migrating import migrate
from app.settings import Audit, Settings
from tests.fakes import Api, constant_model
from tests.records import NOON

FOLDER = tempfile.TemporaryDirectory()
DATABASE = f"sqlite:///{FOLDER.name}/decisions.db"
migrate(open_engine(DATABASE, create=True), Month.of(NOON))
API = Api(constant_model(0.3), Settings(audit=Audit(database_uri=DATABASE)))
schema = schemathesis.openapi.from_asgi("/openapi.json", API.app)
EXAMPLES = 100


@schema.exclude(path="/boom").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented_and_none_is_a_failure(case: Case[Any]) -> None:
    case.call_and_validate()


@schema.include(path="/boom").parametrize()
@settings(max_examples=5, deadline=None)
def test_boom_fails_as_documented(case: Case[Any]) -> None:
    case.call_and_validate(excluded_checks=[schemathesis.checks.not_a_server_error])
