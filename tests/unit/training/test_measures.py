"""The measures agree with scikit-learn's and with what can be counted by hand."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import brier_score_loss, roc_auc_score

from app.training import measures
from app.training.data import Floats, Integers


@pytest.fixture(params=[3, 50, 2_000], ids=lambda levels: f"{levels} distinct scores")
def scored(request: pytest.FixtureRequest) -> tuple[Integers, Floats]:
    """Outcomes drawn from probabilities that have many ties, or few."""
    random = np.random.default_rng(5)
    probability = np.ceil(random.beta(1, 6, 2_000) * request.param) / request.param
    return (random.random(2_000) < probability).astype(np.int64), probability


def test_roc_auc_is_scikit_learns_with_ties(scored: tuple[Integers, Floats]) -> None:
    assert measures.roc_auc(*scored) == pytest.approx(roc_auc_score(*scored), abs=1e-12)


def test_brier_is_scikit_learns(scored: tuple[Integers, Floats]) -> None:
    assert measures.brier(*scored) == pytest.approx(brier_score_loss(*scored), abs=1e-12)


def test_ks_is_scipys(scored: tuple[Integers, Floats]) -> None:
    outcome, probability = scored
    expected = ks_2samp(probability[outcome == 1], probability[outcome == 0]).statistic
    assert measures.kolmogorov_smirnov(outcome, probability) == pytest.approx(expected, abs=1e-12)


def test_roc_auc_and_ks_have_no_value_with_one_outcome() -> None:
    outcome, probability = np.zeros(5, dtype=np.int64), np.linspace(0, 1, 5)
    assert np.isnan(measures.roc_auc(outcome, probability))
    assert np.isnan(measures.kolmogorov_smirnov(outcome, probability))
    assert np.isnan(measures.roc_auc_interval(outcome, probability, 50, 0)).all()


def test_the_interval_holds_the_figure_and_narrows_with_more_rows(scored: tuple[Integers, Floats]) -> None:
    outcome, probability = scored
    low, high = measures.roc_auc_interval(outcome, probability, 200, seed=1)
    assert low < measures.roc_auc(outcome, probability) < high
    few = slice(0, 200)
    wide_low, wide_high = measures.roc_auc_interval(outcome[few], probability[few], 200, seed=1)
    assert wide_high - wide_low > high - low


def test_the_interval_is_the_same_for_the_same_seed(scored: tuple[Integers, Floats]) -> None:
    assert measures.roc_auc_interval(*scored, 50, seed=1) == measures.roc_auc_interval(*scored, 50, seed=1)


def test_calibration_bins_are_of_equal_counts_from_the_lowest_scores_up() -> None:
    probability = np.linspace(0, 1, 100)[::-1]
    predicted, observed, rows = measures.calibration_bins(np.ones(100, dtype=np.int64), probability)
    assert rows.tolist() == [10] * 10
    assert (np.diff(predicted) > 0).all()
    assert observed.tolist() == [1.0] * 10


def test_calibration_error_is_the_mean_distance_over_the_bins() -> None:
    outcome = np.array([0, 1] * 50)
    assert measures.calibration_error(outcome, np.full(100, 0.5)) == 0.0
    assert measures.calibration_error(outcome, np.full(100, 0.3)) == pytest.approx(0.2)


def test_calibration_error_counts_rows_when_there_are_fewer_than_bins() -> None:
    assert measures.calibration_error(np.array([0, 1, 1]), np.array([0.1, 0.9, 0.6])) == pytest.approx(0.2)
