"""What can be compiled, and the reason given for what cannot."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

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
        (HistGradientBoostingClassifier(max_iter=2, categorical_features=[1]), "categorical"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_has_no_compiled_form_says_so(model: Any, reason: str) -> None:
    with pytest.raises(NotCompilable, match=reason):
        extract(model.fit(FULL_ROWS, OUTCOMES))


def test_a_model_of_other_classes_is_not_compiled() -> None:
    model = LogisticRegression(max_iter=5000).fit(FULL_ROWS, OUTCOMES + 1)
    with pytest.raises(NotCompilable, match=r"classes \[.*1.*2.*\], not \[0, 1\]"):
        extract(model)


def test_an_imputer_that_drops_a_column_is_not_compiled() -> None:
    rows = FULL_ROWS.copy()
    rows[:, 4] = np.nan
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=5000))
    with pytest.warns(UserWarning, match="Skipping features"):
        model.fit(rows, OUTCOMES)
    with pytest.raises(NotCompilable, match="drops a column"):
        extract(model)
