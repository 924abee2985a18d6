"""LightGBM's trees, compiled, give its own bits."""

import math
from sys import float_info
from typing import Any

import numpy as np
import pytest
from lightgbm import Booster, Dataset, LGBMClassifier, train

from app.errors import NotCompilable
from app.models.boosters import BinaryBooster
from app.models.predicting import PredictProba
from app.scoring.forms.compiled import compile_log_odds, compile_scorer
from app.scoring.forms.extract import extract
from app.scoring.forms.vectorised import vectorise
from tests.support.estimators import outcomes, quirky_rows

ROWS = quirky_rows(1500, 10, seed=21)
OUTCOMES = outcomes(ROWS)


def fitted(rows: Any = ROWS, **parameters: Any) -> LGBMClassifier:
    options = {"n_estimators": 30, "min_child_samples": 5, "verbose": -1, "n_jobs": 1, **parameters}
    return LGBMClassifier(**options).fit(rows, OUTCOMES)


def asked_at_every_threshold(spec: Any) -> list[list[float]]:
    rows: list[list[float]] = quirky_rows(500, 10, seed=22).tolist()
    for tree in spec["trees"]:
        for leaf, feature, threshold in zip(tree["leaf"], tree["feature"], tree["threshold"], strict=True):
            for value in (threshold, math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)):
                if not leaf:
                    rows.append([1.0] * feature + [min(value, float_info.max)] + [1.0] * (9 - feature))
    return rows


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"boosting_type": "dart"},
        {"boosting_type": "goss"},
        {"is_unbalance": True},
        {"n_estimators": 1, "num_leaves": 2},
        {"monotone_constraints": [1, -1, 0, 0, 0, 0, 0, 0, 0, 0]},
    ],
)
def test_both_forms_have_the_same_bits(parameters: dict[str, Any]) -> None:
    model = fitted(**parameters)
    spec = extract(model)
    rows = asked_at_every_threshold(spec)
    score = compile_scorer(spec)
    assert [score(row) for row in rows] == PredictProba(model).probabilities(rows)
    vectorised = vectorise(spec)
    log_odds = compile_log_odds(spec)
    assert vectorised.log_odds(vectorised.prepare(np.array(rows))).tolist() == [log_odds(row) for row in rows]


def test_a_value_that_was_never_missing_in_training_counts_as_0_where_it_is() -> None:
    model = fitted(np.nan_to_num(ROWS, nan=1.0) - 1.0)
    score = compile_scorer(extract(model))
    rows = quirky_rows(500, 10, seed=23).tolist()
    assert [score(row) for row in rows] == PredictProba(model).probabilities(rows)


def test_a_tree_that_never_split_agrees() -> None:
    model = fitted(min_child_samples=1500)
    assert compile_scorer(extract(model))([1.0] * 10) == PredictProba(model).probabilities([[1.0] * 10])[0]


def test_a_booster_alone_agrees() -> None:
    booster = train({"objective": "binary", "verbose": -1, "num_threads": 1}, Dataset(ROWS, OUTCOMES), 10)
    read = BinaryBooster(Booster(model_str=booster.model_to_string()))
    score = compile_scorer(extract(read))
    assert [score(row) for row in ROWS[:200].tolist()] == list(booster.predict(ROWS[:200]))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "boosting_type='rf'"),
        ({"zero_as_missing": True}, "zero_as_missing=True"),
        ({"linear_tree": True}, "linear_tree=True"),
        ({"pred_early_stop": True}, "pred_early_stop=True"),
        ({"objective": "cross_entropy"}, "objective='cross_entropy'"),
    ],
)
def test_what_has_no_compiled_form_says_so(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(NotCompilable, match=said):
        extract(fitted(**parameters))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averaged"),
        ({"zero_as_missing": True}, "0 for missing"),
        ({"linear_tree": True}, "leaf_c"),
        ({"sigmoid": 2.0}, "binary sigmoid:2"),
    ],
)
def test_a_booster_that_says_nothing_of_its_parameters_is_known_by_its_trees(
    parameters: dict[str, Any], said: str
) -> None:
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, **parameters}
    with pytest.raises(NotCompilable, match=said):
        extract(BinaryBooster(train(options, Dataset(ROWS, OUTCOMES), 5)))


def test_a_split_of_categories_is_not_compiled() -> None:
    rows = np.arange(1500.0)[:, None] % 7
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 0}
    data = Dataset(rows, np.arange(1500) % 7 % 2, categorical_feature=[0])
    with pytest.raises(NotCompilable, match="categories"):
        extract(BinaryBooster(train(options, data, 5)))
