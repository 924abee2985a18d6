"""What can be compiled, and the reason given for what cannot."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, RobustScaler, StandardScaler

from app.errors import NotCompilable
from app.scoring.forms.compiled import compile_scorer
from app.scoring.forms.extract import extract
from tests.support.estimators import outcomes, quirky_rows

ROWS = quirky_rows(400, 10, seed=5)
FULL_ROWS = np.nan_to_num(ROWS, nan=1.0)
OUTCOMES = outcomes(ROWS)


def test_a_specification_survives_json_to_the_last_bit(boosted: Any) -> None:
    spec = extract(boosted)
    restored = json.loads(json.dumps(spec, allow_nan=False))
    row = [1.5] * 10
    assert restored == spec
    assert compile_scorer(restored)(row) == compile_scorer(spec)(row)


def test_a_bare_logistic_regression_compiles() -> None:
    model = LogisticRegression(max_iter=5000).fit(FULL_ROWS, OUTCOMES)
    scorer = compile_scorer(extract(model))
    assert scorer(FULL_ROWS[0].tolist()) == pytest.approx(model.predict_proba(FULL_ROWS[:1])[0, 1], abs=1e-12)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (RandomForestClassifier(n_estimators=2), "RandomForestClassifier has no compiled form"),
        (make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=1)), "PolynomialFeatures before"),
        (make_pipeline(PolynomialFeatures(1), RandomForestClassifier(n_estimators=2)), "Pipeline ending in Random"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_has_no_compiled_form_says_so(model: Any, reason: str) -> None:
    with pytest.raises(NotCompilable, match=reason):
        extract(model.fit(FULL_ROWS, OUTCOMES))


def test_a_model_of_three_classes_is_not_compiled() -> None:
    model = LogisticRegression(max_iter=5000).fit(FULL_ROWS, OUTCOMES + (FULL_ROWS[:, 5] > 1))
    with pytest.raises(NotCompilable, match="not two"):
        extract(model)


@pytest.mark.parametrize("model", [HistGradientBoostingClassifier(max_iter=5), LogisticRegression(max_iter=5000)])
def test_either_class_can_be_the_one_that_is_scored(model: Any) -> None:
    expected = model.fit(FULL_ROWS, np.where(OUTCOMES, "default", "paid")).predict_proba(FULL_ROWS)
    for index in (0, 1):
        score = compile_scorer(extract(model, index))
        found = np.array([score(row) for row in FULL_ROWS.tolist()])
        assert np.abs(found - expected[:, index]).max() <= 1e-15


@pytest.mark.parametrize(
    ("transformer", "said"),
    [
        (SimpleImputer(missing_values=98), "SimpleImputer\\(missing_values=98\\)"),
        (SimpleImputer(missing_values=0), "SimpleImputer\\(missing_values=0\\)"),
        (SimpleImputer(add_indicator=True), "SimpleImputer\\(add_indicator=True\\)"),
        (RobustScaler(), "RobustScaler before"),
    ],
)
def test_a_parameter_that_changes_what_an_attribute_means_is_not_compiled(transformer: Any, said: str) -> None:
    model = make_pipeline(SimpleImputer(), transformer, LogisticRegression(max_iter=5000)).fit(FULL_ROWS, OUTCOMES)
    with pytest.raises(NotCompilable, match=said):
        extract(model)


@pytest.mark.parametrize("scaler", [StandardScaler(with_mean=False), StandardScaler(with_std=False)])
def test_a_scaler_does_only_what_it_was_told(scaler: Any) -> None:
    model = make_pipeline(SimpleImputer(), scaler, LogisticRegression(max_iter=5000)).fit(ROWS, OUTCOMES)
    score = compile_scorer(extract(model))
    found = np.array([score(row) for row in ROWS.tolist()])
    assert np.abs(found - model.predict_proba(ROWS)[:, 1]).max() <= 1e-12


class Reversing(LogisticRegression):  # type: ignore[misc]
    """A class of the author's own that computes something else."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X)[:, ::-1]


class OwnLogisticRegression(Reversing):
    pass


OwnLogisticRegression.__name__ = "LogisticRegression"


def test_a_class_of_an_authors_own_is_not_taken_for_the_librarys() -> None:
    with pytest.raises(NotCompilable, match="LogisticRegression has no compiled form"):
        extract(OwnLogisticRegression(max_iter=5000).fit(FULL_ROWS, OUTCOMES))


def test_a_parameter_that_no_release_had_is_not_compiled(boosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {**boosted.get_params(), "offset": 2.0}
    monkeypatch.setattr(type(boosted), "get_params", lambda self, deep=True: parameters)
    with pytest.raises(NotCompilable, match=r"HistGradientBoostingClassifier\(offset=2.0\)"):
        extract(boosted)


def test_an_imputer_that_drops_a_column_is_not_compiled() -> None:
    rows = FULL_ROWS.copy()
    rows[:, 4] = np.nan
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=5000))
    with pytest.warns(UserWarning, match="Skipping features"):
        model.fit(rows, OUTCOMES)
    with pytest.raises(NotCompilable, match="drops a column"):
        extract(model)
