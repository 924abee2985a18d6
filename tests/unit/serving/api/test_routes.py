import re
from dataclasses import replace
from typing import Any

import pytest

from app.errors import ModelUnavailable
from app.scoring.model import ScoringModel
from app.serving.api.schema import BatchAnswer, Health, Meta, PredictAnswer, ProbeAnswer, Problem
from harness.fields import NULLABLE, POSITIONS
from tests.support.fakes import Api, constant_document, constant_model, json_file

REQUEST = json_file("request.json")
ROW = REQUEST["data"]["features"]
BAD_REQUESTS = json_file("bad_requests.json")


def send(api: Api, case: dict[str, Any]) -> Any:
    # One character of the file is one byte, so that bytes that are no UTF-8 can be written down.
    body = case["body"].encode("latin-1").ljust(case.get("pad_to_bytes", 0))
    headers = {} if case["content_type"] is None else {"Content-Type": case["content_type"]}
    return api.request("POST", case["path"], content=body, headers=headers)


@pytest.mark.parametrize("case", BAD_REQUESTS, ids=[case["name"] for case in BAD_REQUESTS])
def test_refuses(case: dict[str, Any]) -> None:
    api = Api(constant_model(0.3))
    answer = send(api, case)
    told = Problem.model_validate(answer.json())
    assert (answer.status_code, told.status) == (case["status"], case["status"])
    assert answer.headers["Content-Type"] == "application/problem+json"
    if case["status"] == 422:
        assert case["pointer"] in [error.pointer for error in told.errors or []]
    assert not [name for name in ("pydantic", "jiter", "Traceback") if name in answer.text]


@pytest.mark.parametrize("name", ["request.json", "applicant.json"])
def test_decides_on_an_applicant_in_either_form(name: str) -> None:
    answer = Api(constant_model(0.3, "7")).post("/predict", json_file(name))
    told = PredictAnswer.model_validate(answer.json())
    assert (told.decision, told.model_version, answer.headers["X-Model-Version"]) == ("REJECT", "7", "7")


def test_the_threshold_itself_is_rejected() -> None:
    model = constant_model(0.3)
    at_threshold = replace(model, scorer=lambda _: 0.05, scorer_log_odds=None)
    below = replace(model, scorer=lambda _: 0.0499999, scorer_log_odds=None)
    assert Api(at_threshold).post("/predict", REQUEST).json()["decision"] == "REJECT"
    assert Api(below).post("/predict", REQUEST).json()["decision"] == "ACCEPT"


def test_the_row_number_changes_nothing() -> None:
    document = replace(constant_document(0.3))
    seen: list[list[float]] = []

    def scorer(inputs: Any) -> float:
        seen.append(list(inputs))
        return 0.3

    api = Api(ScoringModel(document, scorer))
    answers, scored = [], []
    for number in (1, 1e9):
        seen.clear()
        answers.append(api.post("/predict", {"data": {"features": [number, *ROW[1:]]}}).json())
        scored.append(list(seen))
    assert answers[0] == answers[1]
    assert scored[0] == scored[1]


def test_a_batch_decides_on_each_row() -> None:
    answer = Api(constant_model(0.3)).post("/predict/batch", {"data": {"rows": [ROW] * 3}})
    told = BatchAnswer.model_validate(answer.json())
    assert [it.decision for it in told.predictions] == ["REJECT"] * 3
    assert answer.headers["X-Model-Version"] == told.model_version == "1"


def test_a_batch_of_ten_thousand_rows_is_answered_and_one_more_is_refused() -> None:
    api = Api(constant_model(0.3))
    answer = api.post("/predict/batch", {"data": {"rows": [ROW] * 10_000}})
    assert len(answer.json()["predictions"]) == 10_000
    assert api.post("/predict/batch", {"data": {"rows": [ROW] * 10_001}}).status_code == 422


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/health", "/readyz"])
def test_without_a_model_the_answer_is_503_and_when_to_ask_again(path: str) -> None:
    api = Api()
    api.holder.keep(ModelUnavailable("the registry is down"))
    bodies = {"/predict": REQUEST, "/predict/batch": {"data": {"rows": [ROW]}}}
    answer = api.post(path, bodies[path]) if path in bodies else api.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert Problem.model_validate(answer.json()).detail == "no model is loaded: the registry is down"


def test_the_process_lives_without_a_model() -> None:
    assert ProbeAnswer.model_validate(Api().get("/livez").json()).status == "alive"


def test_with_a_model_it_is_healthy_and_ready() -> None:
    api = Api(constant_model(0.3, "7"))
    assert Health.model_validate(api.get("/health").json()).model_version == "7"
    assert ProbeAnswer.model_validate(api.get("/readyz").json()).status == "ready"


def test_meta_describes_the_model_that_is_loaded() -> None:
    told = Meta.model_validate(Api(constant_model(0.3, "7")).get("/meta").json())
    assert (told.model_version, told.run_id, told.n_features_expected) == ("7", "run7", 11)
    assert (told.trained_at, told.figures) == ("2023-11-14T22:13:20Z", {"held_out_auc": 0.86})
    assert [it.name for it in told.features] == list(POSITIONS)
    assert {it.name for it in told.features if it.nullable} == NULLABLE
    assert told.last_reload is not None
    assert told.last_reload.outcome == "loaded"


def test_meta_tells_what_to_know_of_the_model() -> None:
    document = replace(constant_document(0.3), warnings=["the model names no columns"])
    told = Meta.model_validate(Api(ScoringModel.compiled(document)).get("/meta").json())
    assert told.warnings == ["the model names no columns"]
    assert Meta.model_validate(Api().get("/meta").json()).warnings is None


def test_meta_without_a_model_tells_what_is_configured_and_why_there_is_none() -> None:
    api = Api()
    api.holder.keep(ModelUnavailable("the registry is down"))
    told = Meta.model_validate(api.get("/meta").json())
    assert (told.threshold, told.model_version, told.figures) == (0.05, None, None)
    assert told.last_reload is not None
    assert told.last_reload.reason == "the registry is down"


def test_meta_says_since_when_the_registry_is_down_and_that_the_model_may_be_stale() -> None:
    api = Api(constant_model(0.3, "7"))
    api.holder.contact(False)
    api.holder.keep(ModelUnavailable("the registry is down"))
    told = Meta.model_validate(api.get("/meta").json())
    assert told.registry is not None
    assert (told.registry.up, told.stale, told.model_version) == (False, True, "7")
    api.holder.contact(True)
    api.holder.confirm(None)
    told = Meta.model_validate(api.get("/meta").json())
    assert told.registry is not None
    assert (told.registry.up, told.stale) == (True, False)


def test_meta_names_the_challenger() -> None:
    api = Api(constant_model(0.3, "7"))
    assert Meta.model_validate(api.get("/meta").json()).challenger.model_version is None
    api.challenger.take(constant_model(0.4, "8"))
    told = Meta.model_validate(api.get("/meta").json()).challenger
    assert (told.model_uri, told.model_version) == ("models:/credit-default-model@challenger", "8")


def test_boom_fails_on_purpose() -> None:
    answer = Api(constant_model(0.3)).get("/boom")
    assert (answer.status_code, answer.json()["detail"]) == (500, "boom")


def sample(api: Api, **labels: str) -> float | None:
    return api.metrics.registry.get_sample_value("http_requests_total", labels)


def test_requests_are_counted_by_route_method_and_status() -> None:
    api = Api(constant_model(0.3))
    api.post("/predict", REQUEST)
    api.post("/predict", {})
    api.request("POST", "/predict", content=b" " * 70_000)
    api.get("/boom")
    assert sample(api, handler="/predict", method="POST", status="200") == 1
    assert sample(api, handler="/predict", method="POST", status="422") == 1
    assert sample(api, handler="/predict", method="POST", status="413") == 1
    assert sample(api, handler="/boom", method="GET", status="500") == 1


def test_unknown_paths_are_counted_as_one_and_probes_not_at_all() -> None:
    api = Api(constant_model(0.3))
    for path in ("/a", "/b", "/livez", "/readyz", "/metrics"):
        api.get(path)
    text = api.get("/metrics").text
    assert sample(api, handler="none", method="GET", status="404") == 2
    assert not [path for path in ("/a", "/livez", "/readyz", "/metrics") if f'handler="{path}"' in text]


def test_metrics_hold_the_edge_at_the_threshold_and_the_model() -> None:
    api = Api(constant_model(0.3, "7"))
    api.post("/predict", REQUEST)
    text = api.get("/metrics").text
    assert 'credit_probability_bucket{le="0.05",model_version="7"} 0.0' in text
    assert 'http_request_duration_seconds_bucket{handler="/predict",le="0.0005",method="POST"}' in text
    assert re.search(r'credit_model_info\{alias="production",[^}]*role="production",[^}]*version="7"\} 1.0', text)
