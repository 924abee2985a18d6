import pytest
from pydantic import TypeAdapter

from app.serving.documented import EXAMPLES, body, problems
from app.serving.schema import BatchRequest, PredictRequest
from tests.fakes import Api, constant_model


@pytest.mark.parametrize("type_", [PredictRequest, BatchRequest], ids=lambda it: it.__name__)
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
    request_body = body("PredictRequest")["requestBody"]
    assert request_body["required"] is True
    assert list(request_body["content"]) == ["application/json"]
