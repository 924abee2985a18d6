"""POST /explain tells what would be decided and why, and leaves no trace of it."""

from pathlib import Path

import pytest

from app.callers.known import Callers
from app.serving.api.schema import Explanation, Problem
from app.settings import Settings
from harness.fields import CONTRACT
from harness.servers import audit_in
from tests.support.fakes import Api, caller, constant_model, json_file

REQUEST = json_file("request.json")


def test_it_says_what_predict_would_and_each_factor() -> None:
    api = Api(constant_model(0.3, "7"))
    told = Explanation.model_validate(api.post("/explain", REQUEST).json())
    decided = api.post("/predict", REQUEST).json()
    for name in ("probability", "decision", "reasons", "out_of_range", "model_version", "policy_version"):
        assert told.model_dump()[name] == decided[name]
    assert told.factors is not None
    assert [it.factor for it in told.factors] == list(CONTRACT.factor_names)
    assert {it.effect for it in told.factors} == {0.0}


def test_it_is_neither_counted_as_a_decision_nor_kept(tmp_path: Path) -> None:
    api = Api(constant_model(0.3), Settings(audit=audit_in(tmp_path)), recorded=True)
    answer = api.post("/explain", REQUEST)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "X-Decision-ID" not in answer.headers
    made = [s.value for it in api.metrics.decisions.collect() for s in it.samples if s.name.endswith("_total")]
    assert sum(made) == 0
    # The journal's folder is made with the first decision.
    assert not api.settings.audit.journal_dir.exists()


@pytest.mark.parametrize(("key", "status"), [("cdk_office", 403), ("cdk_auditor", 200)])
def test_it_is_for_whoever_may_read(key: str, status: int) -> None:
    known = Callers((caller("office", "cdk_office", "predict"), caller("auditor", "cdk_auditor", "read")))
    answer = Api(constant_model(0.3), callers=known).post("/explain", REQUEST, {"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    if status == 403:
        assert Problem.model_validate(answer.json()).detail == "this API key is not for that: it lacks the scope read"


def test_a_bad_body_is_refused_as_by_predict() -> None:
    api = Api(constant_model(0.3))
    bad = {"data": {"features": [1]}}
    explained, predicted = api.post("/explain", bad), api.post("/predict", bad)
    assert explained.status_code == predicted.status_code == 422
    assert explained.json()["errors"] == predicted.json()["errors"]


def test_without_a_model_it_is_503() -> None:
    assert Api().post("/explain", REQUEST).status_code == 503
