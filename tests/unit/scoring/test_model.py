"""ScoringModel: positions, ranges and its document."""

import json
import math
from dataclasses import replace

import pytest

from app.contract.contract import Contract
from app.errors import ModelRefused
from app.scoring.columns import factors_of
from app.scoring.forms.compiled import logistic
from app.scoring.model import (
    FeatureReference,
    Identity,
    ModelDocument,
    Reference,
    ScoringModel,
)
from harness.fields import CONTRACT, FEATURES, PLAIN

IDENTITY = Identity("credit-default-model", "7", "models:/credit-default-model/7", "run", "digest", 0.0)


def linear_document(contract: Contract, reference: Reference | None = None) -> ModelDocument:
    """A model whose log-odds are the sum of its inputs, each weighted by its place."""
    count = len(contract.factors)
    spec = {
        "kind": "linear",
        "inputs": count,
        "steps": [{"kind": "impute", "fill": [0.0] * count}],
        "coefficients": [10.0**-place for place in range(count)],
        "intercept": 0.0,
    }
    return ModelDocument(IDENTITY, contract, spec, reference, {"roc_auc": 0.86})


def without_names(count: int) -> Contract:
    return CONTRACT.with_factors(factors_of(None, count, CONTRACT))


def a_reference() -> Reference:
    known = FeatureReference(0.0, 10.0, [5.0], [0.5, 0.5], 0.0)
    return Reference(
        dict.fromkeys(FEATURES, known), [0.5], [0.9, 0.1], dict.fromkeys(FEATURES, 1.0), [[1.0] * 10], [0.5]
    )


def test_ten_inputs_never_see_the_row_number() -> None:
    model = ScoringModel.compiled(linear_document(without_names(10)))
    rest = [0.1] * 10
    assert model.score([1.0, *rest]) == model.score([1e9, *rest])


def test_the_probability_is_the_logistic_function_of_the_log_odds() -> None:
    model = ScoringModel.compiled(linear_document(PLAIN))
    vector = PLAIN.vector([0.5, None, *[0.1] * 8])
    assert model.score(vector) == logistic(model.log_odds(model.factors.of(vector)))
    only_probabilities = replace(model, scorer_log_odds=None)
    assert only_probabilities.log_odds(model.factors.of(vector)) == pytest.approx(
        model.log_odds(model.factors.of(vector))
    )


def test_eleven_inputs_get_all_eleven_positions() -> None:
    model = ScoringModel.compiled(linear_document(without_names(11)))
    rest = [0.1] * 10
    assert model.score([1.0, *rest]) != model.score([2.0, *rest])


def test_names_the_values_outside_the_training_range() -> None:
    model = ScoringModel.compiled(linear_document(PLAIN, a_reference()))
    vector = PLAIN.vector([-1, 10, 0, 11, None, 5, 5, 5, 5, None])
    assert model.out_of_range(vector) == [FEATURES[0], FEATURES[3]]


def test_a_document_survives_json() -> None:
    document = linear_document(PLAIN, a_reference())
    assert ModelDocument.from_json(json.loads(json.dumps(document.to_json()))) == document


def test_a_document_whose_contract_cannot_be_read_is_refused() -> None:
    written = json.loads(json.dumps(linear_document(PLAIN).to_json()))
    written["contract"]["fields"][1]["type"] = "text"
    with pytest.raises(ModelRefused, match=r"holds no contract that this release reads: fields\.1\.type"):
        ModelDocument.from_json(written)


def test_a_document_of_another_format_is_refused() -> None:
    with pytest.raises(ModelRefused, match="format 0"):
        ModelDocument.from_json(linear_document(PLAIN).to_json() | {"format": 0})


def test_a_missing_value_becomes_nan_and_the_row_number_zero() -> None:
    vector = PLAIN.vector([1, 2, 3, 4, None, 6, 7, 8, 9, None])
    assert vector[0] == 0.0
    assert math.isnan(vector[5])
    assert math.isnan(vector[10])
    assert vector[4] == 4.0
