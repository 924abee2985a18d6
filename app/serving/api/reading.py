"""From a request's bytes to wire vectors, or to sentences that say what is wrong without repeating any of it."""

from collections.abc import Iterable
from math import nan
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.features import FEATURES, NULLABLE, POSITIONS
from app.scoring.model import Row, wire_vector
from app.serving.api.inputs import MOST_ROWS, BatchRequest, PredictRequest
from app.serving.api.schema import FieldError

MOST_ERRORS = 20
"""Listed in one answer."""

# Building the library's own list costs a microsecond an error, and a hostile body can hold half a million.
MOST_EXAMINED = 1_000

OBJECTS: dict[str, str] = {
    "": "the body must be an object that holds data, and nothing else",
    "data": "data must be an object that holds either features or applicant, and nothing else",
    "applicant": f"applicant must be an object that holds {', '.join(FEATURES)}, and nothing else",
}
BATCH_OBJECTS = {**OBJECTS, "data": "data must be an object that holds rows, and nothing else"}

Location = tuple[str | int, ...]

_predict = TypeAdapter(PredictRequest)
_batch = TypeAdapter(BatchRequest)


class BodyInvalid(Exception):
    """A body that cannot be read as a request.

    errors: at most MOST_ERRORS; count: how many there are.
    """

    def __init__(self, errors: list[FieldError], count: int) -> None:
        super().__init__(f"{count} errors")
        self.errors = errors
        self.count = count


def read_vector(body: bytes) -> list[float]:
    """The wire vector of a POST /predict body, NaN where a value is missing. Raises BodyInvalid."""
    try:
        data = _predict.validate_json(body)["data"]
    except ValidationError as error:
        raise _explained(error, OBJECTS) from None
    if len(data) != 1:
        raise BodyInvalid(
            [FieldError(pointer="/data", detail="data must hold exactly one of features and applicant")], 1
        )
    if "features" in data:
        return _vector(data["features"])
    applicant: dict[str, Any] = {**data["applicant"]}
    return wire_vector([applicant[name] for name in FEATURES])


def read_rows(body: bytes) -> list[list[float]]:
    """The wire vectors of a POST /predict/batch body. Raises BodyInvalid, which names the first bad row."""
    try:
        rows = _batch.validate_json(body)["data"]["rows"]
    except ValidationError as error:
        raise _explained(error, BATCH_OBJECTS) from None
    return [_vector(row) for row in rows]


def _vector(values: Row) -> list[float]:
    return [nan if value is None else value for value in values]


def _explained(error: ValidationError, objects: dict[str, str]) -> BodyInvalid:
    if (count := error.error_count()) > MOST_EXAMINED:
        return BodyInvalid([FieldError(pointer="", detail="the body has too many errors to list")], count)
    found = error.errors(include_url=False, include_context=False, include_input=False)
    # One missing value a position, or one unknown name each, say the same thing about the same place.
    distinct = dict.fromkeys(_sentence(detail["type"], detail["loc"], objects) for detail in found)
    errors = [FieldError(pointer=pointer_to(where), detail=sentence) for where, sentence in distinct]
    return BodyInvalid(errors[:MOST_ERRORS], len(errors))


def pointer_to(location: Iterable[str | int]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _sentence(kind: str, location: Location, objects: dict[str, str]) -> tuple[Location, str]:
    """Where an error of the validation is, and what to say about it."""
    last = location[-1] if location else ""
    if kind == "json_invalid":
        return (), "the body must be JSON in UTF-8; /docs shows an example"
    if kind == "missing" and isinstance(last, int):
        return location[:-1], _of_row(location[:-1], "must hold exactly 11 values")
    if kind == "missing":
        return location, _missing(str(last))
    if kind in ("tuple_type", "too_long") and last != "rows":
        return location, _of_row(location, "must hold exactly 11 values" if kind == "too_long" else "must be an array")
    if kind in ("list_type", "too_long", "too_short"):
        return location, f"rows must be an array of 1 to {MOST_ROWS} rows"
    if kind == "extra_forbidden":
        # The unknown name is the caller's own text, which no answer repeats.
        return location[:-1], objects[str(location[-2]) if len(location) > 1 else ""]
    if kind == "dict_type":
        return location, objects[str(last)]
    name = POSITIONS[last] if isinstance(last, int) else last
    number = "a finite number" if kind == "finite_number" else "a number"
    sentence = f"{name} must be {number}{' or null' if name in NULLABLE else ''}"
    return location, f"row {location[-2]}: {sentence}" if location[1:2] == ("rows",) else sentence


def _of_row(location: Location, sentence: str) -> str:
    last = location[-1]
    return f"row {last} {sentence}" if isinstance(last, int) else f"{last} {sentence}"


def _missing(name: str) -> str:
    if name in NULLABLE:
        return f"{name} is missing; send null when it is unknown"
    return f"{name} is missing"
