"""Splits of categories have the bits of scikit-learn, one row at a time and many at once."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from app.errors import NotCompilable
from app.models.predicting import PredictProba
from app.models.proof import compiled_difference
from app.scoring.forms.compiled import compile_scorer, logistic
from app.scoring.forms.extract import extract
from app.scoring.forms.vectorised import vectorise


def rows_of(count: int, seed: int) -> Any:
    """Two categories of 40 and 3 values among two numbers, with missing values in all."""
    random = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            random.normal(size=count),
            random.integers(0, 40, count),
            random.lognormal(size=count),
            random.integers(0, 3, count),
        ]
    ).astype(float)
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


def fitted(categorical: list[int], seed: int = 1) -> Any:
    rows = rows_of(4000, seed)
    # Values above 30 are never seen in training.
    rows[:, 1] = np.where(rows[:, 1] > 30, 7.0, rows[:, 1])
    code, number = np.nan_to_num(rows[:, 1], nan=5.0), np.nan_to_num(rows[:, 0])
    risk = np.sin(7 * code) + number + (np.nan_to_num(rows[:, 3], nan=1.0) == 1)
    model = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=12, categorical_features=categorical, random_state=0
    )
    return model.fit(rows, (risk > 0.5).astype(int))


@pytest.mark.parametrize("categorical", [[1], [1, 3], [3]])
def test_known_unknown_and_missing_categories_have_the_same_bits_everywhere(categorical: list[int]) -> None:
    model = fitted(categorical)
    spec, asked = extract(model), rows_of(3000, 9)
    asked[:200, 1] = np.tile([-1.0, 0.5, 30.0, 31.0, 39.0], 40)
    expected = model.predict_proba(asked)[:, 1]
    score, many = compile_scorer(spec), vectorise(spec)
    assert [score(row) for row in asked.tolist()] == expected.tolist()
    assert [logistic(it) for it in many.log_odds(many.prepare(asked)).tolist()] == expected.tolist()
    assert any("values" in tree for tree in spec["trees"])
    assert compiled_difference(PredictProba(model), spec, asked[:20].tolist()) is None


def test_one_category_on_the_wrong_side_is_found_by_the_proof() -> None:
    model = fitted([1, 3])
    spec = extract(model)
    tree = next(tree for tree in spec["trees"] if "values" in tree)
    node = next(at for at, values in enumerate(tree["values"]) if values)
    tree["values"][node] = tree["values"][node][1:]
    assert compiled_difference(PredictProba(model), spec, rows_of(20, 3).tolist()) is not None


def test_categories_that_are_texts_are_left_to_predict_proba() -> None:
    table = pd.DataFrame({"purpose": pd.Categorical(["car", "house"] * 100), "amount": np.arange(200.0)})
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(table, [0, 1] * 100)
    with pytest.raises(NotCompilable, match="categories that are no numbers"):
        extract(model)
