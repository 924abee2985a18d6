"""The population that goes with a model."""

import json
from bisect import bisect_left
from dataclasses import asdict

import numpy as np
import pytest

from app.contract.computed import ComputedFactors
from app.contract.contract import Contract
from app.scoring.model import Reference
from app.training import fit
from app.training.data import Dataset, Floats
from app.training.pipeline import Outcome
from app.training.reference import GOLDEN_ROWS, NEAR_THE_CUT_OFF, bins, build_reference, reference_applicant
from harness.fields import CONTRACT, FEATURES, NULLABLE, PLAIN
from tests.unit.contract.test_contract import SMALL


@pytest.mark.parametrize("name", FEATURES)
def test_bins_are_counted_as_the_serving_process_will_count_them(outcome: Outcome, name: str) -> None:
    known = outcome.reference.features[name]
    values = outcome.training.features[:, FEATURES.index(name)]
    present = values[~np.isnan(values)].tolist()
    counts = np.zeros(len(known.edges) + 1)
    for value in present:
        counts[bisect_left(known.edges, value)] += 1
    assert known.shares == pytest.approx((counts / len(values)).tolist())
    assert sum(known.shares) + known.missing_share == pytest.approx(1)
    assert (known.minimum, known.maximum) == (min(present), max(present))
    assert (known.missing_share > 0) == (name in NULLABLE)


@pytest.mark.parametrize(
    "values",
    [np.arange(100.0), np.array([0.0] * 95 + [1.0] * 5), np.array([0.0] * 5 + [1.0] * 95), np.array([7.0] * 50)],
)
def test_edges_rise_strictly_and_no_bin_is_empty(values: Floats) -> None:
    edges, shares = bins(values)
    assert (np.diff(edges) > 0).all()
    assert len(shares) == len(edges) + 1
    assert min(shares) > 0


def test_scores_fall_into_tenths(outcome: Outcome) -> None:
    assert outcome.reference.score_shares == pytest.approx([0.1] * 10, abs=0.01)


def rows_of(features: Floats) -> Dataset:
    """Applicants of no age to speak of."""
    features = features.copy()
    features[:, FEATURES.index("age")] = 40.0
    return Dataset(PLAIN, "rows", np.zeros(len(features)), features, np.zeros(len(features), np.int64))


def applicant_of(features: Floats, scores: Floats, threshold: float) -> dict[str, float | None]:
    """The reference applicant, without the age."""
    found = reference_applicant(rows_of(features), scores, threshold, PLAIN)
    assert found.pop("age") == 40.0
    return found


OTHERS = [name for name in FEATURES if name != "age"]


def test_the_reference_applicant_is_the_median_of_those_just_accepted() -> None:
    features = np.repeat(np.arange(2_000.0)[:, None], 10, axis=1)
    applicant = applicant_of(features, np.arange(2_000) / 2_000, threshold=0.5)
    assert applicant == dict.fromkeys(OTHERS, 1_000 - NEAR_THE_CUT_OFF / 2 - 0.5)


def test_an_applicant_exactly_at_the_threshold_is_refused_and_no_reference() -> None:
    features = np.array([[1.0] * 10, [9.0] * 10])
    assert applicant_of(features, np.array([0.01, 0.05]), threshold=0.05) == dict.fromkeys(OTHERS, 1.0)


def test_when_nobody_is_accepted_those_of_the_lowest_risk_stand_in() -> None:
    features = np.repeat(np.arange(2_000.0)[:, None], 10, axis=1)
    applicant = applicant_of(features, 0.5 + np.arange(2_000) / 4_000, threshold=0.05)
    assert applicant == dict.fromkeys(OTHERS, NEAR_THE_CUT_OFF / 2 - 0.5)


def test_a_missing_value_does_not_count_and_a_feature_nobody_has_is_none() -> None:
    features = np.array([[1.0] * 10, [3.0] * 10, [5.0] * 10])
    features[:, 4] = np.nan
    features[0, 9] = np.nan
    applicant = applicant_of(features, np.array([0.01, 0.01, 0.01]), threshold=0.05)
    assert (applicant["MonthlyIncome"], applicant["NumberOfDependents"], applicant["DebtRatio"]) == (None, 4.0, 3.0)


def test_nobody_of_62_or_more_is_part_of_the_reference_applicant() -> None:
    rows = rows_of(np.arange(40.0).reshape(4, 10))
    rows.features[:, FEATURES.index("age")] = [30.0, 61.0, 62.0, 90.0]
    applicant = reference_applicant(rows, np.array([0.01, 0.02, 0.03, 0.04]), 0.05, PLAIN)
    assert (applicant["age"], applicant["MonthlyIncome"]) == (45.5, 9.0)


def test_of_a_category_the_reference_applicant_has_the_most_frequent_value() -> None:
    contract = Contract.from_json(SMALL)
    features = np.array([[30.0, 1.0, 5.0], [40.0, 0.0, 7.0], [50.0, 1.0, np.nan]])
    rows = Dataset(contract, "rows", np.zeros(3), features, np.array([0, 1, 0]))
    known = build_reference(rows, lambda it: it[:, 0] / 1e4, 0.05, 0, contract)
    assert known.applicant == {"age": 40.0, "purpose": 1.0, "amount": 5.0}
    assert (known.features["purpose"].edges, known.features["purpose"].shares) == ([0.0], [1 / 3, 2 / 3])
    assert sorted(known.golden_rows, key=str) == [[30.0, "house", 5.0], [40.0, "car", 7.0], [50.0, "house", None]]


def test_the_reference_applicant_would_be_accepted(outcome: Outcome) -> None:
    values = [np.nan if value is None else value for value in outcome.reference.applicant.values()]
    assert fit.probabilities(outcome.estimator, np.array([values]))[0] < 0.05


def test_golden_rows_hold_missing_values_and_the_fitted_models_probabilities(outcome: Outcome) -> None:
    reference = outcome.reference
    assert len(reference.golden_rows) == GOLDEN_ROWS
    assert sum(None in row for row in reference.golden_rows) == GOLDEN_ROWS // 2
    rows = ComputedFactors(CONTRACT).matrix(np.array([CONTRACT.vector(row) for row in reference.golden_rows]))
    alone = [fit.probabilities(outcome.estimator, row[None, :])[0] for row in rows]
    assert reference.golden_probabilities == alone


def test_fewer_rows_than_golden_ones_are_all_taken() -> None:
    features = np.random.default_rng(0).random((30, 10))
    reference = build_reference(rows_of(features), lambda rows: rows[:, 0], 0.05, 0, PLAIN)
    assert len(reference.golden_rows) == len(reference.golden_probabilities) == 30


def test_the_reference_survives_json(outcome: Outcome) -> None:
    text = json.dumps(asdict(outcome.reference), allow_nan=False)
    assert Reference.from_json(json.loads(text)) == outcome.reference
