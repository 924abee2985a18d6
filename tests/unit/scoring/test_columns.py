"""Names decide which wire position an input takes; where they contradict each other, nothing is guessed."""

import pytest

from app.contract.factors import identity
from app.errors import ModelRefused
from app.scoring.columns import factors_of, names_of
from harness.fields import CONTRACT, FEATURES, POSITIONS

REVERSED = list(reversed(FEATURES))
ROW_NUMBER = CONTRACT.fields[0]
ROW_NUMBER_NAMES = {"", "Unnamed: 0", ROW_NUMBER.name, *ROW_NUMBER.columns}


def positions_of(columns: list[str] | None, count: int) -> list[int]:
    """Wire positions of the fields that a model takes as they stand."""
    found = factors_of(columns, count, CONTRACT)
    assert found == [identity(factor.name) for factor in found]
    return [POSITIONS.index(factor.name) for factor in found]


def test_named_columns_are_found_by_name() -> None:
    assert positions_of(REVERSED, 10) == list(range(10, 0, -1))
    assert positions_of([*REVERSED, "Unnamed: 0"], 11) == list(range(10, -1, -1))


@pytest.mark.parametrize("name", [*sorted(ROW_NUMBER_NAMES), "ID", "Index"])
def test_an_eleventh_column_called_as_row_numbers_are_is_position_0(name: str) -> None:
    assert positions_of([name, *FEATURES], 11) == list(range(11))


@pytest.mark.parametrize("name", ["TotalPastDue", "SeriousDlqin2yrs", "income_id"])
def test_an_eleventh_column_of_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ModelRefused, match=f"'{name}', which is no field that is asked for"):
        positions_of([*FEATURES, name], 11)


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        (None, 9),
        (None, 12),
        ([*FEATURES[:9], "income"], 10),
        (["a"] * 11, 11),
        ([*FEATURES[:9], FEATURES[0]], 10),
        ([*FEATURES, FEATURES[0]], 11),
        ([*FEATURES], 11),
    ],
)
def test_a_model_of_other_inputs_is_refused(columns: list[str] | None, count: int) -> None:
    with pytest.raises(ModelRefused, match="the model (takes|wants)"):
        positions_of(columns, count)


def test_columns_called_as_the_contracts_factors_are_those_factors() -> None:
    names = list(reversed(CONTRACT.factor_names))
    assert factors_of(names, len(names), CONTRACT) == list(reversed(CONTRACT.factors))


def test_what_the_estimator_was_fitted_on_counts_where_there_is_no_signature() -> None:
    assert names_of(None, REVERSED) == REVERSED
    assert names_of(REVERSED, None) == REVERSED
    assert names_of(REVERSED, REVERSED) == REVERSED
    assert names_of(None, None) is None


def test_a_signature_that_contradicts_the_estimator_is_refused() -> None:
    with pytest.raises(ModelRefused, match="signature has the columns .* and it was fitted on"):
        names_of(FEATURES, REVERSED)


@pytest.mark.parametrize("form", ["{}", "x{}", "f{}", "Column_{}"])
def test_names_that_only_number_the_columns_are_none(form: str) -> None:
    numbered = [form.format(place) for place in range(10)]
    assert names_of(numbered, None) is None
    assert names_of(numbered, REVERSED) == REVERSED
    assert names_of(numbered[::-1], None) == numbered[::-1]
