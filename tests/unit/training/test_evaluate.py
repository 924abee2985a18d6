"""The figures of one model, whole and by age."""

from dataclasses import fields, replace

import numpy as np
import pytest

from app.errors import DataInvalid
from app.training import evaluate
from app.training.data import Dataset, Floats
from app.training.pipeline import Outcome
from harness.fields import CONTRACT, FEATURES

AGE, INCOME = FEATURES.index("age"), FEATURES.index("MonthlyIncome")


def people(ages: list[float], outcome: list[int]) -> Dataset:
    features = np.zeros((len(ages), 10))
    features[:, AGE] = ages
    return Dataset(CONTRACT, "people", np.arange(1.0, len(ages) + 1), features, np.array(outcome))


def test_who_reaches_the_threshold_is_refused() -> None:
    found = evaluate.measure(np.array([0, 1, 0, 1]), np.array([0.01, 0.04, 0.05, 0.9]), threshold=0.05)
    assert (found.rows, found.bad_rate) == (4, 0.5)
    assert (found.approval_rate, found.recall, found.precision) == (0.5, 0.5, 0.5)


def test_precision_has_no_value_when_nobody_is_refused() -> None:
    found = evaluate.measure(np.array([0, 1]), np.array([0.01, 0.02]), threshold=0.05)
    assert np.isnan(found.precision)
    assert (found.approval_rate, found.recall) == (1.0, 0.0)


def test_slices_are_of_62_and_over_and_of_the_others() -> None:
    held_out = people([62.0] * 30 + [61.9] * 70, [0, 1] * 50)
    scores = np.tile([0.01, 0.9], 50)
    figures = evaluate.evaluate(held_out, lambda rows: scores[: len(rows)], 0.05, 50, 0, monotonicity_violations=0)
    assert figures.elderly is not None
    assert figures.younger is not None
    assert (figures.elderly.rows, figures.younger.rows) == (30, 70)
    assert (figures.elderly_auc_ratio, figures.elderly_approval_ratio) == (1.0, 1.0)


def test_a_slice_with_few_of_an_outcome_has_no_figures() -> None:
    held_out = people([70.0] * 30 + [30.0] * 70, [1] * 9 + [0] * 21 + [0, 1] * 35)
    scores = np.linspace(0, 1, 100)
    figures = evaluate.evaluate(held_out, lambda rows: scores[: len(rows)], 0.05, 50, 0, monotonicity_violations=0)
    assert figures.elderly is None
    assert figures.younger is not None
    assert np.isnan([figures.elderly_auc_ratio, figures.elderly_approval_ratio]).all()


def test_the_cross_validation_scores_every_row_once(outcome: Outcome) -> None:
    assert outcome.cross_validated.rows == len(outcome.dataset)
    assert outcome.cross_validated.roc_auc == pytest.approx(outcome.figures.overall.roc_auc, abs=0.03)


def test_a_fold_without_both_outcomes_is_refused(dataset: Dataset) -> None:
    few = dataset.take(np.arange(len(dataset)) < 40)
    outcome = np.zeros(40, dtype=np.int64)
    outcome[0] = 1
    with pytest.raises(DataInvalid, match="cross-validation"):
        evaluate.cross_validate(replace(few, outcome=outcome), 5, 0, 0.05)


def test_a_risk_that_rises_with_age_is_counted_at_every_step() -> None:
    rows = people([30.0, 40.0, 50.0], [0, 1, 0])

    def rises_with_age(features: Floats) -> Floats:
        return features[:, AGE] / 100

    assert evaluate.count_monotonicity_violations(rises_with_age, rows, seed=0) == 3 * 2
    assert evaluate.count_monotonicity_violations(lambda features: 1 - rises_with_age(features), rows, seed=0) == 0


def test_a_field_without_a_direction_may_move_the_risk_either_way() -> None:
    rows = replace(people([0.0] * 50, [0, 1] * 25), features=np.random.default_rng(0).random((50, 10)))
    column = FEATURES.index("NumberOfOpenCreditLinesAndLoans")
    assert evaluate.count_monotonicity_violations(lambda features: np.sin(9 * features[:, column]), rows, seed=0) == 0


def incomes(*values: float) -> Dataset:
    """Applicants of 40 with these incomes."""
    rows = people([40.0] * len(values), [0] * len(values))
    rows.features[:, INCOME] = values
    return rows


def test_refused_applicants_who_gain_by_leaving_a_value_out_are_counted() -> None:
    def kinder_to_the_silent(features: Floats) -> Floats:
        return np.where(np.isnan(features[:, INCOME]), 0.01, 0.9)

    rows = incomes(1000.0, 2000.0, np.nan)
    assert evaluate.count_withholding(kinder_to_the_silent, rows, 0.05) == 2
    assert evaluate.count_withholding(lambda features: 1 - kinder_to_the_silent(features), rows, 0.05) == 0


def test_accepted_applicants_who_lose_by_a_better_value_are_counted() -> None:
    def against_the_rich(features: Floats) -> Floats:
        return np.where(features[:, INCOME] > 1200, 0.9, 0.01)

    rows = incomes(500.0, 1000.0, 1150.0, 2000.0, np.nan)
    assert evaluate.count_perverse(against_the_rich, rows, 0.05) == 2
    assert evaluate.count_perverse(lambda features: 1 - against_the_rich(features), rows, 0.05) == 0


def test_what_could_not_be_measured_is_not_among_the_metrics() -> None:
    found = evaluate.measure(np.array([0, 1]), np.array([0.01, 0.02]), threshold=0.05)
    names = {f"cv_{field.name}" for field in fields(found)} - {"cv_precision"}
    assert set(evaluate.flat("cv_", found)) == names
    assert evaluate.flat("elderly_", None) == {}
