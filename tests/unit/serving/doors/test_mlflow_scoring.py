"""MLflow's scoring protocol in all its forms, and MLflow's own client."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.settings import Settings
from harness.fields import CONTRACT
from harness.servers import audit_in
from tests.support.fakes import Api, constant_model, json_file

ROW: list[Any] = json_file("request.json")["data"]["features"]
MISSING = [*ROW[:5], None, *ROW[6:]]
ROWS = [ROW, MISSING]
NAMES = list(CONTRACT.asked_names)
RECORDS = [dict(zip(NAMES, row[1:], strict=True)) for row in ROWS]
CSV = pd.DataFrame(RECORDS).to_csv(index=False)


def ask(api: Api, content: str, kind: str = "application/json") -> Any:
    return api.request("POST", "/invocations", content=content, headers={"Content-Type": kind})


FORMS = {
    "split": {"dataframe_split": {"columns": NAMES, "data": [row[1:] for row in ROWS]}},
    "split with an index": {"dataframe_split": {"index": [0, 1], "columns": NAMES, "data": [row[1:] for row in ROWS]}},
    "split in another order": {"dataframe_split": {"columns": NAMES[::-1], "data": [row[:0:-1] for row in ROWS]}},
    "split without names": {"dataframe_split": {"data": ROWS}},
    "records": {"dataframe_records": RECORDS},
    "instances by name": {"instances": RECORDS},
    "instances by position": {"instances": ROWS},
    "instances without the row number": {"instances": [row[1:] for row in ROWS]},
    "inputs by name": {"inputs": {name: [row[name] for row in RECORDS] for name in NAMES}},
    "inputs by position": {"inputs": ROWS},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_probabilities_of_predict_proba(form: str) -> None:
    answer = ask(Api(constant_model(0.5)), json.dumps(FORMS[form]))
    assert answer.json() == {"predictions": [[0.5, 0.5]] * 2}


@pytest.mark.parametrize("text", [CSV, pd.DataFrame(RECORDS).to_csv()], ids=["plain", "with an index"])
@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=utf-8"])
def test_csv_is_read_with_its_missing_values(text: str, kind: str) -> None:
    answer = ask(Api(constant_model(0.5)), text, kind)
    assert answer.json() == {"predictions": [[0.5, 0.5]] * 2}


def test_each_row_is_a_decision_like_any_other(tmp_path: Path) -> None:
    api = Api(constant_model(0.5), Settings(audit=audit_in(tmp_path)), recorded=True)
    assert ask(api, json.dumps(FORMS["records"])).status_code == 200
    made = [s.value for it in api.metrics.decisions.collect() for s in it.samples if s.name.endswith("_total")]
    assert sum(made) == 2
    assert api.settings.audit.journal_dir.exists()


def test_ping_and_version_are_mlflows() -> None:
    api = Api(constant_model(0.5))
    assert (api.get("/ping").status_code, api.get("/ping").content) == (200, b"\n")
    assert api.get("/version").text == version("mlflow-skinny")
    assert Api().get("/ping").status_code == 503


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{", "JSON in UTF-8"),
        ({}, "exactly one of dataframe_split"),
        ({"instances": [ROW], "inputs": [ROW]}, "exactly one of dataframe_split"),
        ({"instances": {}}, "instances must be a list of rows"),
        ({"instances": [ROW, {}]}, "all of one kind"),
        ({"dataframe_records": [ROW]}, "all of one kind"),
        ({"dataframe_records": [RECORDS[0], {}]}, "the same names"),
        ({"dataframe_split": {"data": [ROW], "more": 1}}, "nothing else"),
        ({"dataframe_split": {"columns": NAMES, "data": [ROW]}}, "one for each value"),
        ({"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}}, "names one twice"),
        ({"inputs": {"age": [1, 2], "DebtRatio": [1]}}, "as many values for each name"),
        ({"inputs": {"age": [1]}}, "0 unknown and 9 missing columns"),
    ],
)
def test_a_body_of_no_form_is_refused_in_a_sentence(body: Any, what: str) -> None:
    answer = ask(Api(constant_model(0.5)), body if isinstance(body, str) else json.dumps(body))
    assert answer.status_code == 400
    assert what in answer.json()["detail"]
    assert "stack_trace" not in answer.text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("age\n", "a line of names and 1 to 10000 lines"),
        (CSV + "1,2\n", "all as long"),
        ('age\n"1\n', "must be CSV in UTF-8"),
        (CSV.replace("age", "bonus"), "1 unknown and 1 missing columns"),
    ],
)
def test_a_csv_that_is_none_is_refused(text: str, what: str) -> None:
    answer = ask(Api(constant_model(0.5)), text, "text/csv")
    assert (answer.status_code, what in answer.json()["detail"]) == (400, True)


def test_values_are_checked_as_anywhere() -> None:
    answer = ask(Api(constant_model(0.5)), json.dumps({"instances": [[0, -1, *ROW[2:]]]}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"].endswith("must be at least 0")
    assert ask(Api(constant_model(0.5)), CSV.replace("0.31", "much"), "text/csv").status_code == 422


def test_another_media_type_is_refused() -> None:
    assert ask(Api(constant_model(0.5)), "x", "application/vnd.apache.parquet").status_code == 415
