"""A model that computes anything else than it did when it was trained never serves."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.errors import ModelRefused
from app.models import proof
from app.models.predicting import PredictProba
from app.models.proof import compiled_difference, probe_vectors, prove
from app.scoring.forms.extract import Spec, extract
from app.scoring.forms.vectorised import vectorise
from app.scoring.model import Reference
from harness.fields import CONTRACT, NULLABLE, PLAIN, POSITIONS
from tests.support.estimators import outcomes, quirky_rows
from tests.support.plain import PLAIN_ALL

TEN = PLAIN


def reference_of(model: Any, shift: float = 0.0) -> Reference:
    """Golden rows of a model, with their probabilities moved by shift."""
    rows: list[list[float | None]] = [[float(i + j) for j in range(10)] for i in range(5)]
    rows[2][4] = None
    inputs = np.array([PLAIN.vector(row)[1:] for row in rows])
    golden = [float(p) + shift for p in model.predict_proba(inputs)[:, 1]]
    return Reference({}, [], [], {}, rows, golden)


def difference(model: Any, spec: Spec, positive: int = 1) -> str | None:
    predict = PredictProba(model, positive)
    return compiled_difference(
        predict, spec, prove(predict, CONTRACT.with_factors(PLAIN.factors[: spec["inputs"]]), None)
    )


def test_a_model_that_agrees_passes(boosted: Any) -> None:
    inputs = prove(PredictProba(boosted), TEN, reference_of(boosted))
    assert compiled_difference(PredictProba(boosted), extract(boosted), inputs) is None


def test_golden_probabilities_that_moved_are_refused(boosted: Any) -> None:
    with pytest.raises(ModelRefused, match="golden row 0"):
        prove(PredictProba(boosted), TEN, reference_of(boosted, shift=2e-9))


def test_a_compiled_form_one_bit_off_is_found(boosted: Any) -> None:
    spec = extract(boosted)
    spec["baseline"] += 1e-15
    assert "one row at a time, row" in str(difference(boosted, spec))


def test_a_threshold_one_bit_off_is_found(boosted: Any) -> None:
    for moved in (math.inf, -math.inf):
        spec = extract(boosted)
        tree = spec["trees"][20]
        tree["threshold"][0] = math.nextafter(tree["threshold"][0], moved)
        assert difference(boosted, spec) is not None


def test_a_missing_value_on_the_wrong_side_is_found(boosted: Any) -> None:
    nullable = [POSITIONS.index(name) - 1 for name in NULLABLE]
    spec = extract(boosted)
    tree, node = next(
        (tree, node)
        for tree in spec["trees"]
        for node, (leaf, feature) in enumerate(zip(tree["leaf"], tree["feature"], strict=True))
        if not leaf and feature in nullable
    )
    tree["missing_left"][node] = not tree["missing_left"][node]
    assert difference(boosted, spec) is not None


def test_both_compiled_forms_are_proven(boosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = HistGradientBoostingClassifier(max_iter=1).fit(
        boosted_rows := quirky_rows(99, 10, 3), outcomes(boosted_rows)
    )
    monkeypatch.setattr(proof, "vectorise", lambda _: vectorise(extract(other)))
    assert "many rows at once, row" in str(difference(boosted, extract(boosted)))


def test_a_first_class_is_proven_as_the_second(boosted: Any, origin: Any) -> None:
    assert difference(boosted, extract(boosted, 0), 0) is None
    assert difference(boosted, extract(boosted, 1), 0) is not None


def test_a_model_without_golden_rows_is_proven_on_probes(origin: Any) -> None:
    predict = PredictProba(origin)
    assert compiled_difference(predict, extract(origin), prove(predict, PLAIN_ALL, None)) is None


def test_probes_are_the_same_every_time_and_have_missing_values() -> None:
    first, second = probe_vectors(CONTRACT), probe_vectors(CONTRACT)
    assert repr(first) == repr(second)
    assert any(value != value for vector in first for value in vector)


class WrongProbabilities:
    def predict_proba(self, rows: Any) -> Any:
        return np.full((len(rows), 2), 1.5)


class FailingClassifier:
    def predict_proba(self, rows: Any) -> Any:
        raise ValueError("what the library says")


def test_values_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ModelRefused, match="no probabilities"):
        prove(PredictProba(WrongProbabilities()), TEN, None)


def test_a_model_that_fails_on_the_wire_vector_is_refused() -> None:
    with pytest.raises(ModelRefused, match="predict_proba fails .*ValueError: what the library says"):
        prove(PredictProba(FailingClassifier()), TEN, None)


def test_a_model_that_takes_no_missing_value_is_refused_with_the_remedy() -> None:
    rows = np.nan_to_num(quirky_rows(300, 10, 4), nan=1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, outcomes(rows))
    with pytest.raises(ModelRefused, match="MonthlyIncome and NumberOfDependents may be .*imputer in front"):
        prove(PredictProba(model), TEN, None)


def test_a_model_that_only_fails_on_one_pattern_of_missing_values_is_refused() -> None:
    rows = quirky_rows(300, 10, 4)
    rows[:, 9] = np.nan_to_num(rows[:, 9], nan=1.0)
    rest = ("rest", "passthrough", [0, 1, 2, 3, 5, 6, 7, 8, 9])
    imputed = ColumnTransformer([("income", SimpleImputer(), [4]), rest])
    rows[:, [0, 1, 2, 3, 5, 6, 7, 8]] = 1.0
    model = make_pipeline(imputed, LogisticRegression()).fit(rows, outcomes(quirky_rows(300, 10, 5)))
    with pytest.raises(ModelRefused, match="where a value is missing"):
        prove(PredictProba(model), TEN, None)
