from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from app.serving.api.inputs import request_types
from harness.fields import CONTRACT, FEATURES, NULLABLE, POSITIONS
from tests.support.fakes import Api

TYPES = request_types(CONTRACT)
Features, Applicant = TYPES.features, TYPES.applicant


def test_the_eleven_values_are_the_positions_of_the_wire_vector() -> None:
    items = TypeAdapter(Features).json_schema()["prefixItems"]
    assert [item["title"] for item in items] == list(POSITIONS)


def test_an_applicant_has_the_ten_features_in_their_order() -> None:
    assert list(Applicant.__annotations__) == list(FEATURES)
    assert Applicant.__required_keys__ == set(FEATURES)


def test_null_is_allowed_where_a_feature_may_be_missing_and_nowhere_else() -> None:
    items = TypeAdapter(Features).json_schema()["prefixItems"]
    assert {item["title"] for item in items if {"type": "null"} in item.get("anyOf", [])} == NULLABLE
    properties = TypeAdapter(Applicant).json_schema()["properties"]
    assert {name for name, item in properties.items() if {"type": "null"} in item.get("anyOf", [])} == NULLABLE


def test_a_position_and_the_name_of_a_feature_mean_the_same() -> None:
    items = TypeAdapter(Features).json_schema()["prefixItems"][1:]
    assert items == list(TypeAdapter(Applicant).json_schema()["properties"].values())
    assert len(get_args(Features)) == len(POSITIONS)


def _fields() -> list[Any]:
    schemas = Api().get("/openapi.json").json()["components"]["schemas"]
    fields = [(f"{name}.{key}", field) for name, it in schemas.items() for key, field in it["properties"].items()]
    positions = schemas["ApplicantByPosition"]["properties"]["features"]["prefixItems"]
    return fields + [(f"features.{item['title']}", item) for item in positions]


@pytest.mark.parametrize(("name", "field"), _fields(), ids=lambda it: it if isinstance(it, str) else "")
def test_every_field_has_a_description_and_an_example(name: str, field: dict[str, Any]) -> None:
    assert field["description"].endswith(".")
    assert field["examples"]
