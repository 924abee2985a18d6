"""Expressions give the same bits one at a time and many at once, and what is none says why."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from app.contract.compiling import compile_many, compile_one
from app.contract.expressions import ExpressionInvalid, parse
from app.contract.fields import Field

FIELDS = {
    "debt": (0, Field("debt", example=1.0)),
    "a b-c": (1, Field("a b-c", example=1.0)),
    "purpose": (2, Field("purpose", "category", values=("car", "it's new", "house"), example="car")),
    "class": (3, Field("class", nullable=True)),
}


def value(text: str, vector: list[float]) -> float:
    """Of an expression, both ways, which have to agree."""
    root = parse(text, FIELDS).root
    (one,) = compile_one([root])(vector)
    (many,) = compile_many([root])(np.array([vector, vector]).T)
    both = np.broadcast_to(np.asarray(many, np.float64), 2)
    assert np.array([one], np.float64).tobytes() * 2 == both.tobytes()
    return float(one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debt", 3.0),
        ("-debt + 2 * `a b-c` / 4", -1.0),
        ("debt / 0", nan),
        ("debt / `class`", nan),
        ("min(debt, `a b-c`, 9)", 3.0),
        ("max(debt, `a b-c`, `class`)", nan),
        ("1 if missing(`class`) else 0", 1.0),
        ("1 if `class` > 0 or `class` <= 0 or `class` != 2 else 0", 0.0),
        ("1 if not `class` > 0 else 0", 1.0),
        ("1 if 2 < debt < `a b-c` <= 4 else 0", 1.0),
        ("1 if debt in (96, 3) and debt not in (4, 5) else 0", 1.0),
        ('1 if purpose == "it\'s new" else 0', 1.0),
        ("1 if purpose in ('car', 'house') else 0", 0.0),
        ("1 if 'car' != purpose else 0", 1.0),
        ("1 if missing(purpose) else 0", 0.0),
        ("debt * 1e308 * 1e10", inf),
        ("0 if debt > 1\n  else 1", 0.0),
        ("7", 7.0),
    ],
)
def test_an_expression_has_its_value(text: str, expected: float) -> None:
    found = value(text, [3.0, 4.0, 1.0, nan])
    assert found == expected or (found != found and expected != expected)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("income", "'income' is no field"),
        ("a b-c", "is no expression"),
        ("debt +", "is no expression"),
        ("debt ** 2", "cannot stand in an expression"),
        ("__import__('os')", "cannot stand in an expression"),
        ("debt.real", "cannot stand in an expression"),
        ("(lambda: 1)()", "cannot stand in an expression"),
        ("[debt][0]", "cannot stand in an expression"),
        ("min(debt)", "cannot stand in an expression"),
        ("missing(debt, 1)", "cannot stand in an expression"),
        ("True", "True and False are no values"),
        ("debt > 1 + (debt > 2)", "is a condition where a number is needed"),
        ("1 if debt else 0", "is a number where a condition is needed"),
        ("purpose + 1", "is a category where a number is needed"),
        ("1 if purpose > 'car' else 0", "categories have no order"),
        ("1 if purpose == 'boat' else 0", "'boat' is no value of purpose; there are car, it's new, house"),
        ("1 if purpose == 2 else 0", "compares with a text in quotes"),
        ("1 if debt == 'car' else 0", "only numbers compare with numbers"),
        ("1 if debt in 3 else 0", "values in parentheses"),
        ("1 if debt is 3 else 0", "only < <= > >= == != and in compare"),
        ("debt" + "+debt" * 200, "longer than 500 characters"),
        ("-" * 490 + "1", "is no expression|nested too deeply"),
        ("(" * 240 + "1" + ")" * 240, "is no expression|nested too deeply"),
    ],
)
def test_what_is_no_expression_says_why(text: str, told: str) -> None:
    with pytest.raises(ExpressionInvalid, match=told):
        parse(text, FIELDS)


def test_the_fields_that_are_read_are_known() -> None:
    assert parse("debt if `a b-c` > 1 else 0", FIELDS).reads == {"debt", "a b-c"}


NUMBERS = st.one_of(st.just(nan), st.sampled_from([0.0, -0.0, 1.0, 96.0, 1e308, -1e308, inf, 5e-324]), st.floats())


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([0.0, 1.0, 2.0, nan]), NUMBERS), min_size=1, max_size=20))
def test_many_at_once_give_the_bits_of_one_at_a_time(rows: list[tuple[float, float, float, float]]) -> None:
    texts = [
        "min(debt, `a b-c`) / max(`class`, 3)",
        "debt * `a b-c` if `class` > 1 else debt",
        "20 if missing(`class`) else `class`",
        "-debt - `a b-c`",
        "1 if purpose == 'car' or not debt <= `a b-c` and `class` != 2 else 0",
        "purpose",
    ]
    roots = [parse(text, FIELDS).root for text in texts]
    one, many = compile_one(roots), compile_many(roots)
    found = np.array([np.asarray(column, np.float64) for column in many(np.array(rows).T)])
    expected = np.array([one(row) for row in rows], np.float64).T
    # All NaN are the one missing value, whatever the sign that a processor gives it.
    assert np.where(np.isnan(found), 0.0, found).tobytes() == np.where(np.isnan(expected), 0.0, expected).tobytes()
    assert (np.isnan(found) == np.isnan(expected)).all()
