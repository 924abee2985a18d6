"""Many rows at once have the bits of one row at a time."""

import math
from sys import float_info
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from app.errors import NotCompilable
from app.scoring.forms.compiled import compile_log_odds
from app.scoring.forms.extract import Spec, extract
from app.scoring.forms.vectorised import CELLS_A_BLOCK, vectorise
from tests.support.estimators import Rows, quirky_rows

INPUTS = 3
THRESHOLD = st.sampled_from([-1.5, -0.0, 0.0, 0.9999999, 2.0, 96.0, 1e300, float_info.max, float(np.float32(0.1))])
VALUE = st.one_of(
    THRESHOLD,
    st.just(math.nan),
    st.floats(allow_nan=False, width=64),
    THRESHOLD.map(lambda it: math.nextafter(it, -math.inf)),
)
LEAF = st.floats(-30, 30)


def leaf_of(value: float) -> dict[str, Any]:
    return {"leaf": True, "value": value, "feature": 0, "threshold": 0.0, "missing_left": False, "left": 0, "right": 0}


@st.composite
def trees(draw: st.DrawFn, most_splits: int = 12) -> dict[str, list[Any]]:
    """A tree grown by splitting any of its leaves, as the specification holds it."""
    nodes = [leaf_of(draw(LEAF))]
    for _ in range(draw(st.integers(0, most_splits))):
        at = draw(st.sampled_from([number for number, node in enumerate(nodes) if node["leaf"]]))
        split = {"leaf": False, "value": 0.0, "missing_left": draw(st.booleans()), "threshold": draw(THRESHOLD)}
        nodes[at] = {**split, "feature": draw(st.integers(0, INPUTS - 1)), "left": len(nodes), "right": len(nodes) + 1}
        nodes += [leaf_of(draw(LEAF)), leaf_of(draw(LEAF))]
    return {key: [node[key] for node in nodes] for key in leaf_of(0.0)}


def forest(*grown: dict[str, list[Any]], baseline: float = -2.5) -> Spec:
    return {"kind": "boosted_trees", "inputs": INPUTS, "baseline": baseline, "trees": list(grown)}


def chain(leaves: int) -> dict[str, list[Any]]:
    """A tree that asks for one number after the other."""
    nodes: list[dict[str, Any]] = []
    for number in range(leaves - 1):
        split = {**leaf_of(0.0), "leaf": False, "threshold": float(number)}
        nodes += [{**split, "left": len(nodes) + 1, "right": len(nodes) + 2}, leaf_of(number / 3)]
    nodes.append(leaf_of(1.0))
    return {key: [node[key] for node in nodes] for key in leaf_of(0.0)}


def bits_at_once(spec: Spec, rows: Rows) -> bytes:
    vectorised = vectorise(spec)
    return vectorised.log_odds(vectorised.prepare(rows)).tobytes()


def bits_one_by_one(spec: Spec, rows: Rows) -> bytes:
    log_odds = compile_log_odds(spec)
    return np.array([log_odds(row) for row in rows.tolist()]).tobytes()


@settings(deadline=None, max_examples=200)
@given(grown=st.lists(trees(), min_size=1, max_size=6), rows=st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=1))
def test_any_trees_agree_on_any_rows(grown: list[dict[str, list[Any]]], rows: list[tuple[float, ...]]) -> None:
    spec = forest(*grown)
    matrix = np.array(rows)
    assert bits_at_once(spec, matrix) == bits_one_by_one(spec, matrix)


@pytest.mark.parametrize("leaves", [1, 2, 8, 9, 16, 17, 32, 33, 64])
def test_a_tree_of_any_number_of_leaves_up_to_the_most_agrees(leaves: int) -> None:
    rows = np.zeros((leaves + 3, INPUTS))
    rows[:, 0] = [*np.arange(-1.0, leaves), math.nan, math.inf]
    spec = forest(chain(leaves), chain(1))
    assert bits_at_once(spec, rows) == bits_one_by_one(spec, rows)


def test_a_fitted_model_agrees_on_more_rows_than_a_block(boosted: Any) -> None:
    spec = extract(boosted)
    rows = quirky_rows(2 * CELLS_A_BLOCK // len(spec["trees"]) + 7, 10, seed=5)
    assert bits_at_once(spec, rows) == bits_one_by_one(spec, rows)


def test_a_fitted_model_agrees_exactly_at_every_threshold(boosted: Any) -> None:
    spec = extract(boosted)
    rows: list[list[float]] = []
    for tree in spec["trees"]:
        for leaf, feature, threshold in zip(tree["leaf"], tree["feature"], tree["threshold"], strict=True):
            for value in (threshold, math.nextafter(threshold, math.inf), math.nextafter(threshold, -math.inf)):
                if not leaf:
                    rows.append([1.0] * feature + [value] + [1.0] * (9 - feature))
    matrix: Rows = np.array(rows)
    assert bits_at_once(spec, matrix) == bits_one_by_one(spec, matrix)


def test_a_linear_model_agrees(origin: Any) -> None:
    rows = quirky_rows(2000, 11, seed=6)
    assert bits_at_once(extract(origin), rows) == bits_one_by_one(extract(origin), rows)


@settings(deadline=None, max_examples=100)
@given(rows=st.lists(st.lists(VALUE.filter(lambda it: abs(it) != math.inf), min_size=11, max_size=11), min_size=1))
def test_a_linear_model_agrees_on_any_rows_and_in_silence(origin: Any, rows: list[list[float]]) -> None:
    matrix = np.array(rows)
    expected = np.frombuffer(bits_one_by_one(extract(origin), matrix))
    np.testing.assert_array_equal(np.frombuffer(bits_at_once(extract(origin), matrix)), expected)


def test_what_a_column_becomes_depends_on_nothing_but_its_values(boosted: Any) -> None:
    rows = quirky_rows(200, 10, seed=7)
    vectorised = vectorise(extract(boosted))
    changed, columns = rows.copy(), vectorised.prepare(rows)
    changed[:, 4] = 2.0
    columns[4] = vectorised.prepare(np.full((1, 10), 2.0))[4]
    assert vectorised.log_odds(columns).tobytes() == vectorised.log_odds(vectorised.prepare(changed)).tobytes()


def test_what_has_no_vectorised_form_is_refused_with_the_reason() -> None:
    with pytest.raises(NotCompilable, match="'uncompiled'"):
        vectorise({"kind": "uncompiled"})
    with pytest.raises(NotCompilable, match="65 leaves"):
        vectorise(forest(chain(65)))
