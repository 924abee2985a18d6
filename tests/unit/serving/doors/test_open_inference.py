"""The Open Inference Protocol: the same decisions, in its own shapes, and its own errors."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.scoring.model import ScoringModel
from app.settings import Settings
from harness.fields import CONTRACT
from harness.servers import audit_in
from tests.support.fakes import Api, constant_model, json_file

ROW: list[Any] = json_file("request.json")["data"]["features"]
MODEL = "/v2/models/credit-default-model"


def tensor(rows: list[list[Any]], **changed: Any) -> dict[str, Any]:
    data = [value for row in rows for value in row]
    return {"name": "features", "shape": [len(rows), 11], "datatype": "FP64", "data": data, **changed}


def columns(rows: list[list[Any]]) -> list[dict[str, Any]]:
    named = zip(CONTRACT.names, zip(*rows, strict=True), strict=True)
    return [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": list(values)}
        for name, values in named
        if name in CONTRACT.asked_names
    ]


def outputs(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {it["name"]: it["data"] for it in answer.json()["outputs"]}


def test_what_there_is_is_told() -> None:
    api = Api(constant_model(0.3, "7"))
    assert api.get("/v2").json()["name"] == "credit-default-decisions"
    assert api.get("/v2/health/live").json() == {"live": True}
    assert api.get("/v2/health/ready").json() == {"ready": True}
    assert api.get("/v2/models").json() == {"models": ["credit-default-model"]}
    for path in (MODEL, f"{MODEL}/versions/7"):
        told = api.get(path).json()
        assert (told["name"], told["versions"]) == ("credit-default-model", ["7"])
        assert [it["name"] for it in told["inputs"]] == list(CONTRACT.asked_names)
        assert api.get(f"{path}/ready").json() == {"name": "credit-default-model", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/other", f"{MODEL}/versions/8", f"{MODEL}/versions/", f"{MODEL}/other"])
@pytest.mark.parametrize("end", ["", "/ready", "/infer"])
def test_what_is_not_served_is_404_in_its_own_words(path: str, end: str) -> None:
    api = Api(constant_model(0.3, "7"))
    answer = api.post(f"{path}{end}", {"inputs": [tensor([ROW])]}) if end == "/infer" else api.get(f"{path}{end}")
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_without_a_model_it_lives_and_is_not_ready() -> None:
    api = Api()
    assert api.get("/v2/health/live").status_code == 200
    for answer in (api.get("/v2/health/ready"), api.get(MODEL), api.post(f"{MODEL}/infer", {"inputs": []})):
        assert (answer.status_code, list(answer.json())) == (503, ["error"])
        assert answer.headers["Retry-After"] == "5"


def test_one_tensor_and_columns_give_the_decisions_of_predict() -> None:
    api = Api(constant_model(0.3, "7"))
    alone = api.post("/predict", {"data": {"features": ROW}}).json()
    missing = [*ROW[:5], None, *ROW[6:]]
    by_tensor = api.post(f"{MODEL}/infer", {"id": "x-1", "inputs": [tensor([ROW, missing])]})
    assert by_tensor.json()["id"] == "x-1"
    assert by_tensor.json()["model_version"] == "7"
    assert by_tensor.json()["parameters"]["threshold"] == 0.05
    found = outputs(by_tensor)
    assert found["probability"] == [alone["probability"]] * 2
    assert found["decision"] == ["REJECT"] * 2
    assert json.loads(found["reasons"][0]) == alone["reasons"]
    with_nan = tensor([ROW, [*ROW[:5], float("nan"), *ROW[6:]]])
    body = json.dumps({"inputs": [with_nan]})
    headers = {"Content-Type": "application/json"}
    assert outputs(api.request("POST", f"{MODEL}/infer", content=body, headers=headers)) == found
    nested = tensor([ROW, missing], data=[ROW, missing])
    assert outputs(api.post(f"{MODEL}/versions/7/infer", {"inputs": [nested]})) == found
    assert outputs(api.post(f"{MODEL}/infer", {"inputs": columns([ROW, missing])})) == found
    wanted = api.post(f"{MODEL}/infer", {"inputs": [tensor([ROW])], "outputs": [{"name": "decision"}]})
    assert outputs(wanted) == {"decision": ["REJECT"]}


def test_a_fault_of_the_service_is_no_missing_model() -> None:
    def scorer(_: object) -> float:
        raise KeyError("income")

    document = replace(constant_model(0.3).document, reference=None)
    answer = Api(ScoringModel(document, scorer)).post(f"{MODEL}/infer", {"inputs": [tensor([ROW])]})
    assert answer.status_code == 500
    assert "income" not in answer.text


def test_each_row_is_kept_and_counted(tmp_path: Path) -> None:
    api = Api(constant_model(0.3), Settings(audit=audit_in(tmp_path)), recorded=True)
    ids = {"name": "application_id", "shape": [2], "datatype": "BYTES", "data": ["A-1", ""]}
    found = outputs(api.post(f"{MODEL}/infer", {"inputs": [*columns([ROW, ROW]), ids]}))
    assert len(set(found["decision_id"])) == 2
    files = [path for path in api.settings.audit.journal_dir.rglob("*") if path.is_file()]
    journal = "".join(path.read_text() for path in files)
    assert all(key in journal for key in found["decision_id"])
    assert '"application_id":"A-1"' in journal
    made = [s.value for it in api.metrics.decisions.collect() for s in it.samples if s.name.endswith("_total")]
    assert sum(made) == 2


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{", "the body must be JSON in UTF-8"),
        ("[]", "the body must be an object"),
        ('{"inputs": NaN}', "inputs must be a list"),
        ({"inputs": [tensor([[0, float("inf"), *ROW[2:]]])]}, "row 0: RevolvingUtilizationOfUnsecuredLines must be a"),
        ({}, "inputs must be a list"),
        ({"inputs": [1]}, "inputs must hold objects"),
        ({"inputs": [{"name": "features"}]}, "must have a name, a shape, a datatype and data"),
        ({"inputs": [tensor([ROW], shape=[0])]}, "whole numbers above 0"),
        ({"inputs": [tensor([ROW], datatype="FP16")]}, "a datatype must be one of BYTES, FP32"),
        ({"inputs": [tensor([ROW], shape=[2, 11])]}, "as many values as its shape says"),
        ({"inputs": [tensor([ROW], shape=[11])]}, r"must have the shape \[rows, 11\]"),
        ({"inputs": [tensor([ROW], data=[[1], 2])]}, "nested evenly"),
        ({"inputs": [tensor([ROW]), tensor([ROW])]}, "two of one name"),
        ({"inputs": columns([ROW])[1:]}, "0 unknown and 1 missing columns"),
        ({"inputs": [*columns([ROW]), {**columns([ROW])[0], "name": "bonus"}]}, "1 unknown and 0 missing"),
        ({"inputs": [*columns([ROW])[:-1], columns([ROW, ROW])[-1]]}, "all of them as many rows"),
        ({"inputs": [tensor([[0, -1, *ROW[2:]]])]}, "row 0: RevolvingUtilizationOfUnsecuredLines must be at least 0"),
        ({"inputs": [tensor([["x", *ROW[1:]]])]}, "row 0: row_number must be a number"),
        ({"inputs": [tensor([ROW])], "outputs": [{"name": "label"}]}, "outputs names what there is not"),
    ],
)
def test_what_is_wrong_is_told_as_an_error_of_the_protocol(body: Any, what: str) -> None:
    api = Api(constant_model(0.3))
    content = body if isinstance(body, str) else json.dumps(body)
    answer = api.request("POST", f"{MODEL}/infer", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert re.search(what, answer.json()["error"]), answer.json()["error"]


def test_another_media_type_is_refused_and_none_is_json() -> None:
    api, body = Api(constant_model(0.3)), json.dumps({"inputs": [tensor([ROW])]})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = api.request("POST", f"{MODEL}/infer", content=body, headers=form)
    assert (refused.status_code, list(refused.json())) == (415, ["error"])
    assert outputs(api.request("POST", f"{MODEL}/infer", content=body.encode()))["decision"] == ["REJECT"]


def test_binary_tensors_are_refused_in_words() -> None:
    answer = Api(constant_model(0.3)).request(
        "POST", f"{MODEL}/infer", content=b"{}\0\0", headers={"Inference-Header-Content-Length": "2"}
    )
    assert (answer.status_code, "binary tensors" in answer.json()["error"]) == (400, True)
