"""Which tables may be trained on, and what is said about the others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.contract import Contract
from app.errors import DataInvalid
from app.settings import Settings
from app.training.data import SYNTHETIC, Dataset, canonical_bytes, clean, load
from harness.fields import CONTRACT, FEATURES, TARGET
from tests.unit.contract.test_contract import SMALL


def frame(rows: int = 8) -> pd.DataFrame:
    """A small table without fault, its row numbers 101, 102, …"""
    table = pd.DataFrame({name: np.arange(rows, dtype=float) for name in FEATURES})
    table.insert(0, TARGET, np.arange(rows) % 2)
    table.insert(0, "Unnamed: 0", np.arange(rows) + 101)
    return table


def spoiled(column: str, *values: object) -> pd.DataFrame:
    """The table with a column's first values replaced."""
    table = frame()
    table[column] = pd.Series([*values, *table[column].tolist()[len(values) :]])
    return table


def complaint(table: pd.DataFrame) -> str:
    with pytest.raises(DataInvalid) as caught:
        clean(table, "file.csv", CONTRACT)
    return str(caught.value)


def test_a_table_without_fault_becomes_doubles_in_the_order_of_the_features() -> None:
    table = frame()[["Unnamed: 0", *reversed(FEATURES), TARGET]]
    dataset = clean(table.assign(age=np.arange(8) + 30), "file.csv", CONTRACT)
    assert dataset.features.dtype == np.float64
    assert dataset.features[0].tolist() == [0.0, 30.0, *[0.0] * 8]
    assert dataset.outcome.tolist() == [0, 1] * 4


@pytest.mark.parametrize("name", ["Unnamed: 0", ""])
def test_a_nameless_first_column_is_kept_apart_as_the_row_number(name: str) -> None:
    dataset = clean(frame().rename(columns={"Unnamed: 0": name}), "file.csv", CONTRACT)
    assert dataset.features.shape == (8, 10)
    assert dataset.row_numbers.tolist() == list(range(101, 109))


def test_rows_without_a_number_are_counted_from_one() -> None:
    assert clean(frame().drop(columns="Unnamed: 0"), "file.csv", CONTRACT).row_numbers.tolist() == list(range(1, 9))


def test_income_and_dependents_may_be_missing() -> None:
    table = spoiled("MonthlyIncome", None)
    table.loc[1, "NumberOfDependents"] = np.nan
    features = clean(table, "file.csv", CONTRACT).features
    assert np.argwhere(np.isnan(features)).tolist() == [[0, 4], [1, 9]]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("age", None, "column age is missing in row 1"),
        ("MonthlyIncome", float("inf"), "column MonthlyIncome is infinite in row 1"),
        ("DebtRatio", float("-inf"), "column DebtRatio is infinite in row 1"),
        ("NumberOfTimes90DaysLate", -1, "column NumberOfTimes90DaysLate is negative in row 1"),
        (TARGET, 2, f"column {TARGET} is not 0 or 1 in row 1"),
        (TARGET, 0.5, f"column {TARGET} is not 0 or 1 in row 1"),
        (TARGET, None, f"column {TARGET} is missing in row 1"),
    ],
)
def test_a_wrong_value_is_refused_with_its_column_and_row(column: str, value: object, reason: str) -> None:
    assert reason in complaint(spoiled(column, value))


def test_the_first_five_wrong_rows_are_named_and_all_are_counted() -> None:
    reason = "column age is missing in 7 rows: 1, 2, 3, 4, 5, …"
    assert reason in complaint(spoiled("age", *[None] * 7))


def test_every_wrong_value_is_named_at_once() -> None:
    text = complaint(spoiled("age", None).assign(DebtRatio=-1.0))
    assert text.startswith("file.csv: ")
    assert "column age is missing in row 1" in text
    assert "column DebtRatio is negative in 8 rows" in text


def test_every_wrong_column_is_named_at_once() -> None:
    text = complaint(frame().drop(columns="MonthlyIncome").assign(postcode=1))
    assert text.startswith("file.csv: ")
    assert "column MonthlyIncome is not there" in text
    assert "column postcode is not known" in text


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True] * 8, "bool"),
        (pd.date_range("2020-01-01", periods=8), "timestamp"),
        ([[1.0]] * 8, "list"),
        (["30"] * 8, "large_string"),
    ],
)
def test_a_column_of_another_type_is_refused(values: object, kind: str) -> None:
    assert f"column age holds {kind}" in complaint(frame().assign(age=pd.Series(values)))


def test_integers_that_allow_missing_values_are_numbers() -> None:
    table = frame().assign(NumberOfDependents=pd.array([1, None] * 4, dtype="Int64"))
    assert np.isnan(clean(table, "file.csv", CONTRACT).features[:, 9]).tolist() == [False, True] * 4


def test_a_table_without_rows_is_refused() -> None:
    assert "no rows" in complaint(frame().head(0))


def test_a_table_without_columns_is_refused() -> None:
    assert "column age is not there" in complaint(pd.DataFrame())


def test_a_single_outcome_is_refused() -> None:
    assert f"column {TARGET} is 0 in every row" in complaint(frame().assign(**{TARGET: 0}))


def test_a_feature_without_any_value_is_refused() -> None:
    assert "column MonthlyIncome has no value in any row" in complaint(frame().assign(MonthlyIncome=np.nan))


def test_the_digest_is_of_the_content_alone(dataset: Dataset) -> None:
    again = Dataset(CONTRACT, "another name", dataset.row_numbers + 1, dataset.features.copy(), dataset.outcome.copy())
    assert again.digest == dataset.digest
    again.outcome[0] = 1 - again.outcome[0]
    assert again.digest != dataset.digest


def test_equal_numbers_have_equal_bytes() -> None:
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)
    assert canonical_bytes(np.array([-0.0, np.nan])) == canonical_bytes(np.append(0.0, odd_nan))


def test_a_contract_with_categories_makes_codes_of_them_and_reads_groups_beside() -> None:
    contract = Contract.from_json(SMALL)
    table = pd.DataFrame(
        {
            "purpose": ["car", " house "],
            "years": [30, 41],
            "amount": [None, 5.0],
            "risk": ["bad", "good"],
            "sex": ["f", None],
        }
    )
    found = clean(table, "file.csv", contract, groups=["sex"])
    assert found.features.tolist()[1] == [41.0, 1.0, 5.0]
    assert found.outcome.tolist() == [1, 0]
    assert found.groups["sex"].tolist() == ["f", "not stated"]
    assert found.take(np.array([False, True])).groups["sex"].tolist() == ["not stated"]


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("purpose", ["car", "boat"], "column purpose is none of car, house in row 2"),
        ("purpose", ["car", None], "column purpose is missing in row 2"),
        ("purpose", [0.5, 1.0], "column purpose holds double, not texts"),
        ("years", [30.5, 40], "column years is not a whole number in row 1"),
        ("years", [17, 100], "column years is below 18 in row 1; column years is above 99 in row 2"),
        ("amount", [-1, 1], "column amount is negative in row 1"),
        ("risk", ["bad", "1"], "column risk is not good or bad in row 2"),
    ],
)
def test_a_fault_under_a_contract_names_column_and_row_and_what_is_allowed(column: str, values: Any, told: str) -> None:
    table = pd.DataFrame({"purpose": ["car", "car"], "years": [30, 41], "amount": [1.0, 5.0], "risk": ["bad", "good"]})
    with pytest.raises(DataInvalid) as caught:
        clean(table.assign(**{column: values}), "file.csv", Contract.from_json(SMALL))
    assert told in str(caught.value)
    assert "boat" not in str(caught.value)


def test_a_group_that_a_model_could_see_is_refused() -> None:
    with pytest.raises(DataInvalid, match="train.groups names age, which the contract has"):
        clean(frame(), "file.csv", CONTRACT, groups=["age"])


def test_without_data_the_synthetic_sample_is_loaded(dataset: Dataset) -> None:
    loaded = load(Settings())
    assert (loaded.name, loaded.digest) == (SYNTHETIC, dataset.digest)
