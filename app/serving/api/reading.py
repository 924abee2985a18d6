"""From a request's bytes to wire vectors, or to sentences that say what is wrong without repeating any of it."""

from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from app.contract.contract import Contract
from app.serving.api.inputs import MOST_ROWS, request_types
from app.serving.api.schema import FieldError

MOST_ERRORS = 20
"""Listed in one answer."""

# Building the library's own list costs a microsecond an error, and a hostile body can hold half a million.
MOST_EXAMINED = 1_000

Location = tuple[str | int, ...]


NEEDED = "is missing; this service has to be told of which application a decision is"
ALLOWED_ID = "a text of 1 to 64 letters, digits and signs without spaces"


class BodyInvalid(Exception):
    """A body that cannot be read as a request.

    errors: at most MOST_ERRORS; count: how many there are.
    """

    def __init__(self, errors: list[FieldError], count: int) -> None:
        super().__init__(f"{count} errors")
        self.errors = errors
        self.count = count


class Reader:
    """Reads the bodies of a contract's requests. require_application_id: refuse those that name no application."""

    def __init__(self, contract: Contract, require_application_id: bool = False) -> None:
        self.contract = contract
        self._require_application_id = require_application_id
        self.types = request_types(contract)
        self._predict: TypeAdapter[Any] = TypeAdapter(self.types.predict)
        self._batch: TypeAdapter[Any] = TypeAdapter(self.types.batch)
        self._by_name = {each.name: each for each in contract.fields}
        codes = [{text: float(code) for code, text in enumerate(each.values)} for each in contract.fields]
        self._codes: list[tuple[int, dict[str, float]]] = [(at, each) for at, each in enumerate(codes) if each]
        self._objects = {
            "": "the body must be an object that holds data, perhaps an application_id, and nothing else",
            "data": "data must be an object that holds either features or applicant, and nothing else",
            "applicant": f"applicant must be an object that holds {', '.join(contract.asked_names)}, and nothing else",
        }
        rows = "data must be an object that holds rows, and nothing else"
        whole = "the body must be an object that holds data, perhaps application_ids, and nothing else"
        self._batch_objects = {**self._objects, "": whole, "data": rows}

    def read(self, body: bytes) -> tuple[list[float], str | None]:
        """The wire vector of a POST /predict body, NaN where a value is missing, and its application_id.

        Raises BodyInvalid.
        """
        try:
            request = self._predict.validate_json(body)
        except ValidationError as error:
            # Else each name that the other one lacks would be told too.
            raise _one_of_both() if _has_both(body) else self._explained(error, self._objects) from None
        data, application_id = request["data"], request.get("application_id")
        if application_id is None and self._require_application_id:
            raise BodyInvalid([FieldError(pointer="/application_id", detail=f"application_id {NEEDED}")], 1)
        if len(data) != 1:
            raise _one_of_both()
        if "features" in data:
            return self._vector(data["features"]), application_id
        applicant = data["applicant"]
        values = [applicant[each.name] if each.asked else 0.0 for each in self.contract.fields]
        return self._vector(values), application_id

    def rows(self, body: bytes) -> tuple[list[list[float]], list[str | None] | None]:
        """The wire vectors of a POST /predict/batch body, and the rows' application_ids; None where none are given.

        Raises BodyInvalid, which names the first bad row.
        """
        try:
            request = self._batch.validate_json(body)
        except ValidationError as error:
            raise self._explained(error, self._batch_objects) from None
        rows, ids = request["data"]["rows"], request.get("application_ids")
        wrong = None
        if ids is not None and len(ids) != len(rows):
            wrong = f"application_ids must hold one a row: {len(rows)}, not {len(ids)}"
        elif self._require_application_id and (ids is None or None in ids):
            wrong = f"application_ids {NEEDED} for each row"
        if wrong is not None:
            raise BodyInvalid([FieldError(pointer="/application_ids", detail=wrong)], 1)
        return [self._vector(row) for row in rows], ids

    def _vector(self, values: Sequence[Any]) -> list[float]:
        vector = [nan if value is None else value for value in values]
        for at, codes in self._codes:
            text = vector[at]
            if isinstance(text, str):
                vector[at] = codes[text]
        return vector

    def _explained(self, error: ValidationError, objects: dict[str, str]) -> BodyInvalid:
        if (count := error.error_count()) > MOST_EXAMINED:
            return BodyInvalid([FieldError(pointer="", detail="the body has too many errors to list")], count)
        found = error.errors(include_url=False, include_context=False, include_input=False)
        # One missing value a position, or one unknown name each, say the same thing about the same place.
        distinct = dict.fromkeys(self._sentence(detail["type"], detail["loc"], objects) for detail in found)
        errors = [FieldError(pointer=pointer_to(where), detail=sentence) for where, sentence in distinct]
        return BodyInvalid(errors[:MOST_ERRORS], len(errors))

    def _sentence(self, kind: str, location: Location, objects: dict[str, str]) -> tuple[Location, str]:
        """Where an error of the validation is, and what to say about it."""
        last = location[-1] if location else ""
        exactly = f"must hold exactly {len(self.contract.fields)} values"
        if kind == "json_invalid":
            return (), "the body must be JSON in UTF-8; /docs shows an example"
        if kind != "extra_forbidden" and "application_id" in location:
            return location, f"application_id must be {ALLOWED_ID}"
        if kind != "extra_forbidden" and "application_ids" in location:
            of_row = isinstance(last, int)
            allowed = f"{ALLOWED_ID}, or null" if of_row else f"an array of 1 to {MOST_ROWS}, one a row"
            return location, f"{f'row {last}: application_id' if of_row else 'application_ids'} must be {allowed}"
        if kind == "missing" and isinstance(last, int):
            return location[:-1], _of_row(location[:-1], exactly)
        if kind == "missing":
            nullable = last in self.contract.nullable
            return location, f"{last} is missing{'; send null when it is unknown' if nullable else ''}"
        if kind in ("tuple_type", "too_long") and last != "rows":
            return location, _of_row(location, exactly if kind == "too_long" else "must be an array")
        if kind in ("list_type", "too_long", "too_short"):
            return location, f"rows must be an array of 1 to {MOST_ROWS} rows"
        if kind == "extra_forbidden":
            # The unknown name is the caller's own text, which no answer repeats.
            return location[:-1], objects[str(location[-2]) if len(location) > 1 else ""]
        if kind == "dict_type":
            return location, objects[str(last)]
        sentence = self._of_value(kind, last)
        return location, f"row {location[-2]}: {sentence}" if location[1:2] == ("rows",) else sentence

    def _of_value(self, kind: str, place: str | int) -> str:
        asked = self.contract.fields[place] if isinstance(place, int) else self._by_name[place]
        if asked.type == "category":
            allowed = f"one of {', '.join(asked.values)}"
        elif kind == "multiple_of":
            allowed = "a whole number"
        elif kind in ("greater_than_equal", "less_than_equal"):
            allowed = asked.range
        else:
            allowed = "a finite number" if kind == "finite_number" else "a number"
        return f"{asked.name} must be {allowed}{' or null' if asked.nullable else ''}"


def _one_of_both() -> BodyInvalid:
    detail = "data must hold exactly one of features and applicant"
    return BodyInvalid([FieldError(pointer="/data", detail=detail)], 1)


def _has_both(body: bytes) -> bool:
    """Whether a body that is not valid holds features and an applicant."""
    try:
        data = from_json(body)["data"]
        return "features" in data and "applicant" in data
    except (ValueError, LookupError, TypeError):
        return False


def pointer_to(location: Iterable[str | int]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _of_row(location: Location, sentence: str) -> str:
    last = location[-1]
    return f"row {last} {sentence}" if isinstance(last, int) else f"{last} {sentence}"
