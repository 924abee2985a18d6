"""The wire types of requests, made from a contract: what the API reads, and what its OpenAPI document says of it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, Field as Described, with_config
from typing_extensions import TypedDict

from app.contract.contract import Contract
from app.contract.fields import Field, Value

MOST_ROWS = 10_000
"""Of one batch request."""

APPLICATION_ID_PATTERN = r"^[!-~]{1,64}$"
APPLICATION_ID = Annotated[
    str,
    Described(
        pattern=APPLICATION_ID_PATTERN,
        description="The lender's own name for the application, by which its decisions are found; nothing personal.",
        examples=["A-2026-001734"],
    ),
]
"""Visible ASCII without spaces, so that it can stand in an address and in a log."""

# No coercion: "1.5" in quotes or `true` where a number belongs is a mistake of the caller's.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class RequestTypes:
    """What a contract makes of the bodies of requests."""

    features: Any
    """A tuple of one value a field, in wire order."""
    applicant: Any
    """The asked fields by name, each of them present."""
    predict: Any
    """Body of POST /predict."""
    batch: Any
    """Body of POST /predict/batch."""
    features_example: list[Value]
    applicant_example: dict[str, Value]


def request_types(contract: Contract) -> RequestTypes:
    """Made once: building a validator takes milliseconds."""
    example = [each.example for each in contract.fields]
    by_name = {each.name: each.example for each in contract.asked}
    features: Any = tuple.__class_getitem__(tuple(_type_of(each) for each in contract.fields))
    asked = {each.name: _type_of(each) for each in contract.asked}
    applicant = _type("Applicant", "An applicant by the names of the fields, each of them present.", asked)
    described = Described(description="One value a field, in the order of /meta.", examples=[example])
    by_names = Described(description="The fields by name, those that are ignored left out.", examples=[by_name])
    data = _type(
        "PredictData",
        "One applicant, by position or by name: exactly one of the two.",
        {"features": Annotated[features, described], "applicant": Annotated[applicant, by_names]},
        total=False,
    )
    the_applicant = Described(description="The applicant.", examples=[{"features": example}])
    # Validation stops at the first bad row: one is enough to refuse, and the list of all could be endless.
    many = Described(
        min_length=1,
        max_length=MOST_ROWS,
        fail_fast=True,
        description="Rows of one value a field, in the order of /meta.",
        examples=[[example]],
    )
    rows = _type("BatchData", "Many applicants.", {"rows": Annotated[list[features], many]})
    the_applicants = Described(description="The applicants.", examples=[{"rows": [example]}])
    ids = Described(
        min_length=1, max_length=MOST_ROWS, fail_fast=True, description="One a row, null for none.", examples=[["A-1"]]
    )
    one = {"data": Required[Annotated[data, the_applicant]], "application_id": APPLICATION_ID}
    batch = {
        "data": Required[Annotated[rows, the_applicants]],
        "application_ids": Annotated[list[APPLICATION_ID | None], ids],
    }
    return RequestTypes(
        features,
        applicant,
        _type("PredictRequest", "Body of POST /predict.", one, total=False),
        _type("BatchRequest", "Body of POST /predict/batch.", batch, total=False),
        example,
        by_name,
    )


def _type(name: str, doc: str, fields: dict[str, Any], total: bool = True, **config: Any) -> Any:
    # Written as a call because names of fields need not be Python identifiers.
    made: Any = TypedDict(name, fields, total=total)  # type: ignore[misc]
    made.__doc__ = doc
    return with_config(ConfigDict(**{**STRICT, **config}))(made)  # type: ignore[typeddict-item]


def _type_of(asked: Field) -> Any:
    """Of one value, with all that the contract says of it."""
    unit = f" Unit: {asked.unit}." if asked.unit else ""
    told: dict[str, Any] = {"title": asked.name, "description": f"{asked.description}{unit}".strip() or None}
    if asked.example is not None or asked.nullable:
        told["examples"] = [asked.example]
    value: Any = Literal[asked.values] if asked.type == "category" else float
    if asked.asked and asked.type != "category":
        step = 1 if asked.type == "integer" else None
        value = Annotated[float, Described(ge=asked.minimum, le=asked.maximum, multiple_of=step)]
    return Annotated[value | None if asked.nullable else value, Described(**told)]
