"""Requests made from the OpenAPI document, good and bad: nothing but /boom may fail, all is as documented."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.fakes import Api, constant_model

API = Api(constant_model(0.3))
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
