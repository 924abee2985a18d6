from math import nan

import pytest

from app.promotion.aligned import aligned, number


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned([["a", "bc"], ["long", ""]]) == "a     bc\nlong"


@pytest.mark.parametrize(("value", "shown"), [(0.86254, "0.8625"), (None, "-"), (nan, "-")])
def test_a_figure_that_is_not_there_is_a_dash(value: float | None, shown: str) -> None:
    assert number(value) == shown
