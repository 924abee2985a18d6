"""ScoringModel: positions, ranges and its document."""

import json
import math
from dataclasses import replace

import pytest

from app.errors import ModelRefused
from app.features import FEATURES
from app.scoring.columns import positions_of
from app.scoring.forms.compiled import logistic
from app.scoring.model import (
    FeatureReference,
    Identity,
    ModelDocument,
    Reference,
    ScoringModel,
    wire_vector,
)

IDENTITY = Identity("credit-default-model", "7", "models:/credit-default-model/7", "run", "digest", 0.0)


def linear_document(positions: list[int], reference: Reference | None = None) -> ModelDocument:
    """A model whose log-odds are the sum of its inputs, each weighted by its place."""
    spec = {
        "kind": "linear",
        "inputs": len(positions),
        "steps": [{"kind": "impute", "fill": [0.0] * len(positions)}],
        "coefficients": [10.0**-place for place in range(len(positions))],
        "intercept": 0.0,
    }
    return ModelDocument(IDENTITY, positions, spec, reference, {"roc_auc": 0.86})


def a_reference() -> Reference:
    known = FeatureReference(0.0, 10.0, [5.0], [0.5, 0.5], 0.0)
    return Reference(
        dict.fromkeys(FEATURES, known), [0.5], [0.9, 0.1], dict.fromkeys(FEATURES, 1.0), [[1.0] * 10], [0.5]
    )


def test_ten_inputs_never_see_the_row_number() -> None:
    model = ScoringModel.compiled(linear_document(positions_of(None, 10)))
    rest = [0.1] * 10
    assert model.score([1.0, *rest]) == model.score([1e9, *rest])


def test_the_probability_is_the_logistic_function_of_the_log_odds() -> None:
    model = ScoringModel.compiled(linear_document(list(range(1, 11))))
    vector = wire_vector([0.5, None, *[0.1] * 8])
    assert model.score(vector) == logistic(model.log_odds(vector))
    only_probabilities = replace(model, scorer_log_odds=None)
    assert only_probabilities.log_odds(vector) == pytest.approx(model.log_odds(vector))


def test_eleven_inputs_get_all_eleven_positions() -> None:
    model = ScoringModel.compiled(linear_document(positions_of(None, 11)))
    rest = [0.1] * 10
    assert model.score([1.0, *rest]) != model.score([2.0, *rest])


def test_names_the_values_outside_the_training_range() -> None:
    model = ScoringModel.compiled(linear_document(list(range(1, 11)), a_reference()))
    vector = wire_vector([-1, 10, 0, 11, None, 5, 5, 5, 5, None])
    assert model.out_of_range(vector) == [FEATURES[0], FEATURES[3]]


def test_a_document_survives_json() -> None:
    document = linear_document(list(range(1, 11)), a_reference())
    assert ModelDocument.from_json(json.loads(json.dumps(document.to_json()))) == document


def test_a_document_of_an_older_release_is_read() -> None:
    written = linear_document([1]).to_json()
    del written["warnings"], written["positive_class"]
    assert ModelDocument.from_json(written) == linear_document([1])


def test_a_document_of_another_format_is_refused() -> None:
    with pytest.raises(ModelRefused, match="format 0"):
        ModelDocument.from_json(linear_document([1]).to_json() | {"format": 0})


def test_a_missing_value_becomes_nan_and_the_row_number_zero() -> None:
    vector = wire_vector([1, 2, 3, 4, None, 6, 7, 8, 9, None])
    assert vector[0] == 0.0
    assert math.isnan(vector[5])
    assert math.isnan(vector[10])
    assert vector[4] == 4.0
