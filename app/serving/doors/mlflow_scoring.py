"""MLflow's scoring protocol: /ping, /version and /invocations, as `mlflow models serve` answers them.

The predictions are what predict_proba gives: of each row the probabilities of the good and of the bad outcome.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from app.serving.api.inputs import MOST_ROWS
from app.serving.doors.doorway import Deciding, DoorInvalid
from app.serving.http.media import JSON_IN_UTF8
from app.serving.http.messages import NO_STORE, answer_of, header_values, response_of
from app.serving.http.problems import problem

MLFLOW = "3.17.2"
"""Whose scoring server's protocol this is."""

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MISSING = frozenset({"", "NA", "NaN", "nan", "null", "None"})
"""What stands in a CSV for a value that is not there."""


def add_mlflow_scoring(app: FastAPI, deciding: Deciding) -> None:
    """The routes, which MLflow's own client asks."""

    @app.get("/ping", include_in_schema=False)
    async def ping() -> Response:
        deciding.holder.snapshot()
        return Response("\n", media_type="application/json")

    @app.get("/version", include_in_schema=False)
    async def told_version() -> Response:
        return PlainTextResponse(MLFLOW)

    @app.post("/invocations", include_in_schema=False)
    async def invocations(request: Request) -> Response:
        kind = header_values(request.headers.raw).get(b"content-type", b"").decode("latin-1")
        content = await request.body()
        try:
            rows = _rows(deciding, kind, content)
            _, made = await deciding.decide(rows, None, request.scope["caller"])
        except DoorInvalid as error:
            return response_of(problem(400, str(error)))
        pairs = ",".join(f"[{1.0 - it['probability']!r},{it['probability']!r}]" for it in made)
        return response_of(answer_of(200, [NO_STORE], f'{{"predictions":[{pairs}]}}'.encode()))


def _rows(deciding: Deciding, kind: str, content: bytes) -> list[list[Any]]:
    if kind.partition(";")[0].strip().lower() == "text/csv":
        return _of_csv(deciding, content)
    if not JSON_IN_UTF8.fullmatch(kind):
        raise HTTPException(415, "the body must be sent as application/json or text/csv")
    try:
        body = from_json(content)
    except ValueError:
        raise DoorInvalid("the body must be JSON in UTF-8") from None
    given = [name for name in FORMS if isinstance(body, dict) and name in body]
    if len(given) != 1:
        raise DoorInvalid(f"the body must be an object with exactly one of {', '.join(FORMS)}")
    told = body[given[0]]
    if given[0] == "dataframe_split":
        return _of_split(deciding, told)
    if given[0] == "inputs" and isinstance(told, dict):
        return _of_columns(deciding, told)
    if not isinstance(told, list) or not told:
        raise DoorInvalid(f"{given[0]} must be a list of rows")
    if all(isinstance(row, dict) for row in told):
        return _of_records(deciding, told)
    if given[0] == "dataframe_records" or not all(isinstance(row, list) for row in told):
        raise DoorInvalid(f"{given[0]} must be a list of rows, all of one kind")
    return _of_positions(deciding, told)


def _of_split(deciding: Deciding, told: Any) -> list[list[Any]]:
    if (
        not isinstance(told, dict)
        or not isinstance(told.get("data"), list)
        or told.keys() - {"columns", "index", "data"}
    ):
        raise DoorInvalid("dataframe_split must have data, perhaps columns and an index, and nothing else")
    columns, rows = told.get("columns"), told["data"]
    if not rows or not all(isinstance(row, list) for row in rows):
        raise DoorInvalid("data must be a list of rows")
    if columns is None:
        return _of_positions(deciding, rows)
    if not isinstance(columns, list) or any(len(row) != len(columns) for row in rows):
        raise DoorInvalid("columns must be a list of names, one for each value of a row")
    named = {str(name): list(values) for name, values in zip(columns, zip(*rows, strict=True), strict=True)}
    if len(named) < len(columns):
        raise DoorInvalid("columns names one twice")
    return deciding.rows_of(named, len(rows))


def _of_records(deciding: Deciding, rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
    names = rows[0].keys()
    if any(row.keys() != names for row in rows):
        raise DoorInvalid("every row must have the same names")
    return deciding.rows_of({name: [row[name] for row in rows] for name in names}, len(rows))


def _of_columns(deciding: Deciding, columns: dict[str, Any]) -> list[list[Any]]:
    if not columns or not all(isinstance(values, list) for values in columns.values()):
        raise DoorInvalid("inputs must have a list of values for each name")
    if len({len(values) for values in columns.values()}) != 1:
        raise DoorInvalid("inputs must have as many values for each name")
    return deciding.rows_of(columns, len(next(iter(columns.values()))))


def _of_positions(deciding: Deciding, rows: Sequence[list[Any]]) -> list[list[Any]]:
    """In wire order, or the asked fields alone in theirs."""
    contract = deciding.reader.contract
    if rows and all(len(row) == len(contract.asked) for row in rows) and len(contract.asked) < len(contract.fields):
        return [
            [row[contract.asked_names.index(each.name)] if each.asked else 0.0 for each in contract.fields]
            for row in rows
        ]
    return list(rows)


def _of_csv(deciding: Deciding, content: bytes) -> list[list[Any]]:
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise DoorInvalid("the body must be CSV in UTF-8 with a line of names") from None
    if not 2 <= len(lines) <= MOST_ROWS + 1 or any(len(line) != len(lines[0]) for line in lines):
        raise DoorInvalid(f"the CSV must have a line of names and 1 to {MOST_ROWS} lines, all as long")
    kinds = {each.name: each.type for each in deciding.reader.contract.fields}
    columns: dict[str, list[Any]] = {}
    for name, values in zip(lines[0], zip(*lines[1:], strict=True), strict=True):
        # A frame's own index has no name, and is no field.
        if name:
            columns[name] = [_value(text, kinds.get(name) == "category") for text in values]
    return deciding.rows_of(columns, len(lines) - 1)


def _value(text: str, is_category: bool) -> Any:
    if text in MISSING:
        return None
    if is_category:
        return text
    try:
        return float(text)
    except ValueError:
        return text
