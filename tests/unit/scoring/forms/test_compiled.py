"""Compiled scorers give what scikit-learn gives."""

import math
from sys import float_info
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from app.errors import NotCompilable
from app.scoring.forms.compiled import compile_scorer, logistic, logit
from app.scoring.forms.extract import extract
from tests.support.estimators import quirky_rows

VALUE = st.one_of(
    st.just(math.nan),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.sampled_from([0.0, -0.0, 0.9999999, 1.0, 2.0, 96.0, 98.0, 1e-300]),
)


def test_boosted_trees_have_the_same_bits_as_predict_proba(boosted: Any) -> None:
    rows = quirky_rows(2000, 10, seed=3)
    scorer = compile_scorer(extract(boosted))
    assert [scorer(row) for row in rows.tolist()] == boosted.predict_proba(rows)[:, 1].tolist()


@settings(deadline=None, max_examples=300)
@given(row=st.lists(VALUE, min_size=10, max_size=10))
def test_boosted_trees_agree_on_any_row_and_any_pattern_of_missing_values(boosted: Any, row: list[float]) -> None:
    scorer = compile_scorer(extract(boosted))
    assert scorer(row) == boosted.predict_proba(np.array([row]))[0, 1]


def test_boosted_trees_agree_exactly_at_every_threshold(boosted: Any) -> None:
    spec = extract(boosted)
    scorer = compile_scorer(spec)
    base = np.ones((1, 10))
    for tree in spec["trees"]:
        for leaf, feature, threshold in zip(tree["leaf"], tree["feature"], tree["threshold"], strict=True):
            if leaf:
                continue
            for value in (threshold, math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)):
                row = base.copy()
                row[0, feature] = min(value, float_info.max)
                assert scorer(row[0].tolist()) == boosted.predict_proba(row)[0, 1]


def test_a_logistic_regression_pipeline_agrees_to_1e_12(origin: Any) -> None:
    rows = quirky_rows(2000, 11, seed=4)
    scorer = compile_scorer(extract(origin))
    difference = np.abs(np.array([scorer(row) for row in rows.tolist()]) - origin.predict_proba(rows)[:, 1])
    assert difference.max() <= 1e-12


@pytest.mark.parametrize("log_odds", [-30.0, -2.5, 0.0, 1e-17, 4.0, 30.0])
def test_the_log_odds_of_a_probability_are_those_it_came_from(log_odds: float) -> None:
    assert logit(logistic(log_odds)) == pytest.approx(log_odds, rel=1e-3)


@pytest.mark.parametrize("probability", [0.0, 5e-324, 0.5, 1.0])
def test_every_probability_has_finite_log_odds(probability: float) -> None:
    assert math.isfinite(logit(probability))


@pytest.mark.parametrize("log_odds", [-1000.0, -745.2, -30.0, 0.0, 1e-17, 36.8, 1000.0])
def test_the_logistic_function_is_scipys(log_odds: float) -> None:
    from scipy.special import expit

    assert logistic(log_odds) == expit(log_odds)


def test_a_kind_without_a_compiled_form_is_refused() -> None:
    with pytest.raises(NotCompilable, match="'uncompiled'"):
        compile_scorer({"kind": "uncompiled"})


def test_a_tree_too_deep_for_the_parser_is_refused_before_it_breaks() -> None:
    depth = 150
    tree = {
        "leaf": [False] * depth + [True] * (depth + 1),
        "value": [0.0] * (2 * depth + 1),
        "feature": [0] * (2 * depth + 1),
        "threshold": [1.0] * (2 * depth + 1),
        "missing_left": [True] * (2 * depth + 1),
        "left": [*range(1, depth), 2 * depth, *[0] * (depth + 1)],
        "right": [*range(depth, 2 * depth), *[0] * (depth + 1)],
    }
    with pytest.raises(NotCompilable, match="deeper than 90"):
        compile_scorer({"kind": "boosted_trees", "inputs": 1, "baseline": 0.0, "trees": [tree]})
