"""The made-up applicants have the oddities of the real ones."""

import gzip

import numpy as np
import pandas as pd
import pytest

from app.training.data import SAMPLE
from harness.fields import FEATURES, TARGET
from harness.sample import ROWS, synthetic_frame
from scripts.write_sample import content

LATE = ["NumberOfTime30-59DaysPastDueNotWorse", "NumberOfTime60-89DaysPastDueNotWorse", "NumberOfTimes90DaysLate"]


def test_the_columns_are_those_of_a_read_file(sample: pd.DataFrame) -> None:
    assert sample.columns.tolist() == ["Unnamed: 0", TARGET, *FEATURES]
    assert sample["Unnamed: 0"].tolist() == list(range(1, ROWS + 1))


def test_the_same_seed_gives_the_same_table_and_another_seed_another(sample: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(synthetic_frame(20), sample)
    assert not synthetic_frame(21)["age"].equals(sample["age"])


def test_incomes_are_missing_and_dependents_only_where_income_is(sample: pd.DataFrame) -> None:
    missing = sample.isna()
    assert missing["MonthlyIncome"].mean() == pytest.approx(0.198, abs=0.01)
    assert missing["NumberOfDependents"].mean() == pytest.approx(0.026, abs=0.004)
    assert missing.loc[missing["NumberOfDependents"], "MonthlyIncome"].all()
    assert set(missing.columns[missing.any()]) == {"MonthlyIncome", "NumberOfDependents"}


def test_the_codes_96_and_98_stand_in_all_three_past_due_columns_together(sample: pd.DataFrame) -> None:
    coded = sample[LATE].isin([96, 98])
    assert (coded.any(axis=1) == coded.all(axis=1)).all()
    assert {96, 98} <= set(sample.loc[coded.all(axis=1), LATE[0]])
    assert sample.loc[~coded.all(axis=1), LATE].to_numpy().max() < 20


def test_utilisation_has_its_spikes_and_its_dollars(sample: pd.DataFrame) -> None:
    used = sample["RevolvingUtilizationOfUnsecuredLines"]
    assert (used == 0).mean() == pytest.approx(0.07, abs=0.015)
    assert (used == 0.9999999).mean() == pytest.approx(0.07, abs=0.015)
    assert (used > 1).mean() == pytest.approx(0.022, abs=0.008)
    assert used.max() > 1_000


def test_debt_is_in_whole_dollars_where_income_is_missing(sample: pd.DataFrame) -> None:
    debt, missing = sample["DebtRatio"], sample["MonthlyIncome"].isna()
    assert (debt[missing] % 1 == 0).all()
    assert debt[missing].median() == pytest.approx(1_159, rel=0.1)
    assert debt[~missing].median() == pytest.approx(0.296, rel=0.1)


def test_one_age_is_zero_and_the_rest_are_of_adults(sample: pd.DataFrame) -> None:
    ages = np.sort(sample["age"].to_numpy())
    assert ages[0] == 0
    assert ages[1] >= 21


def test_some_rows_are_duplicates(sample: pd.DataFrame) -> None:
    assert sample.duplicated([TARGET, *FEATURES]).mean() == pytest.approx(0.004, abs=0.001)


def test_few_default_and_the_old_less_often(sample: pd.DataFrame) -> None:
    bad, old = sample[TARGET], sample["age"] >= 62
    assert bad.mean() == pytest.approx(0.067, abs=0.005)
    assert bad[old].mean() < 0.75 * bad[~old].mean()


def test_the_shipped_file_is_the_table_of_its_seed() -> None:
    assert gzip.decompress(SAMPLE.read_bytes()) == gzip.decompress(content()), "run make sample"
