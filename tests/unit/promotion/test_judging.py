from dataclasses import replace
from typing import Any

import pytest

from app import registry
from app.errors import ModelRefused
from app.promotion import judging
from app.promotion.judging import Promotion, judge_model, promote, warnings_of
from app.settings import Settings
from app.training.data import clean
from app.training.gate import Champion
from harness.fields import CONTRACT
from harness.sample import synthetic_frame
from tests.support.fakes import constant_model


@pytest.fixture(scope="module")
def dataset() -> Any:
    return clean(synthetic_frame(1, 2000), "test", CONTRACT)


def test_a_registered_model_is_judged_by_the_gate_of_training(dataset: Any) -> None:
    verdict, figures = judge_model(constant_model(0.07), None, dataset, Settings())
    assert figures.overall.roc_auc == 0.5
    assert not verdict.passed
    assert "ROC AUC 0.5000 is below the floor 0.8" in verdict.reasons


def test_a_production_model_that_cannot_be_measured_refuses_the_version(dataset: Any) -> None:
    verdict, _ = judge_model(constant_model(0.07), Champion("the model", None, "damaged"), dataset, Settings())
    assert "the model in production cannot be compared with: damaged" in verdict.reasons


def test_a_version_that_cannot_be_loaded_here_is_refused_without_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    promoted: list[tuple[Any, ...]] = []

    def untrusted(*_: Any) -> Any:
        raise ModelRefused("untrusted types")

    monkeypatch.setattr(judging, "registered_model", untrusted)
    monkeypatch.setattr(registry, "promote", lambda *given: promoted.append(given))
    ended = promote("3", "challenger", Settings())
    assert (ended.passed, ended.reasons) == (False, ["untrusted types"])
    assert "version 3: refused, challenger stays where it is" in str(ended)
    assert promoted == []


def test_a_model_without_a_compiled_form_says_which_servers_can_have_it() -> None:
    compiled = constant_model(0.07)
    uncompiled = replace(compiled, document=replace(compiled.document, spec={"kind": "uncompiled"}))
    assert warnings_of(compiled) == []
    (warning,) = warnings_of(uncompiled)
    assert "credit-default-api-models" in warning
    assert f"  - {warning}" in str(Promotion("m", "3", "production", True, [], {}, [warning]))
