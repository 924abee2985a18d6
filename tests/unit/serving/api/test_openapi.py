import pytest
from pydantic import TypeAdapter

from app.callers.known import Callers
from app.serving.api.inputs import request_types
from app.serving.api.openapi import KEY, body, example_of, examples_of, problems
from app.serving.http.paths import endpoint_of
from harness.fields import CONTRACT
from tests.support.fakes import Api, caller, constant_model

TYPES = request_types(CONTRACT)
EXAMPLES = examples_of(TYPES)


@pytest.mark.parametrize("type_", [TYPES.predict, TYPES.batch], ids=lambda it: it.__name__)
def test_every_example_of_a_body_is_a_valid_body(type_: type) -> None:
    for example in EXAMPLES[type_.__name__].values():
        TypeAdapter(type_).validate_python(example["value"], strict=False)


@pytest.mark.parametrize("name", EXAMPLES["PredictRequest"])
def test_every_example_of_predict_gets_a_decision(name: str) -> None:
    api = Api(constant_model(0.3))
    assert api.post("/predict", EXAMPLES["PredictRequest"][name]["value"]).status_code == 200


def test_a_problem_is_documented_by_its_status_and_shape() -> None:
    assert list(problems(422, 503)) == [422, 503]
    assert list(problems(422)[422]["content"]) == ["application/problem+json"]


def test_a_body_is_required_json() -> None:
    request_body = body("PredictRequest", TYPES)["requestBody"]
    assert request_body["required"] is True
    assert list(request_body["content"]) == ["application/json"]


def test_every_operation_that_may_need_a_key_says_so_and_no_other() -> None:
    document = Api().get("/openapi.json").json()
    secured = {path for path, operations in document["paths"].items() for it in operations.values() if it["security"]}
    assert {"/predict", "/predict/batch"} <= secured
    assert all(endpoint_of(path).scope is not None for path in secured)
    predict = document["paths"]["/predict"]["post"]
    assert predict["security"] == [{}, {KEY: []}]
    assert {"401", "403"} <= predict["responses"].keys()
    assert list(document["components"]["securitySchemes"]) == [KEY]


@pytest.mark.parametrize("key", [None, "cdk_auditor"])
def test_the_examples_of_refusals_are_what_is_answered(key: str | None) -> None:
    api = Api(constant_model(0.3), callers=Callers((caller("auditor", "cdk_auditor", "read"),)))
    headers = {"X-Request-ID": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    answer = api.post("/predict", {}, headers)
    assert answer.json() == example_of(answer.status_code)
    assert answer.status_code == (401 if key is None else 403)


def test_each_way_to_name_an_applicant_has_a_type_of_its_own() -> None:
    schemas = Api().get("/openapi.json").json()["components"]["schemas"]
    ways = [it["$ref"].rpartition("/")[2] for it in schemas["PredictRequest"]["properties"]["data"]["oneOf"]]
    assert ways == ["ApplicantByPosition", "ApplicantByName"]
    assert [schemas[it]["required"] for it in ways] == [["features"], ["applicant"]]
    assert schemas["ApplicantByPosition"]["properties"]["features"]["items"] == {
        "anyOf": [{"type": "number"}, {"type": "null"}]
    }
    assert "PredictData" not in str(schemas)
