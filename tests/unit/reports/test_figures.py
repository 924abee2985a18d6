"""Figures agree with what others compute, and their intervals hold what they should as often as they say."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from app.reports.figures import area, bands, expected_area, share, stability

RANDOM = np.random.default_rng(7)


def test_a_share_has_wilsons_interval() -> None:
    # 10 of 100: 0.0552 to 0.1744 (Newcombe 1998, method 3).
    found = share(10, 100)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)
    assert share(0, 50).low == 0.0
    assert np.isnan(share(0, 0).value)


def test_the_area_is_scikit_learns_and_its_interval_holds_the_true_one() -> None:
    probability = RANDOM.random(5_000) ** 2
    held = 0
    for _ in range(200):
        outcome = (RANDOM.random(5_000) < probability).astype(np.int64)
        found = area(outcome, probability)
        assert found.value == pytest.approx(roc_auc_score(outcome, probability))
        held += found.low <= expected_area(probability) <= found.high
    assert held >= 180


def test_the_expected_area_is_what_outcomes_come_to() -> None:
    probability = RANDOM.random(200_000) ** 3
    outcome = (RANDOM.random(200_000) < probability).astype(np.int64)
    assert expected_area(probability) == pytest.approx(roc_auc_score(outcome, probability), abs=0.005)
    assert expected_area(np.full(10, 0.3)) == pytest.approx(0.5)
    assert np.isnan(expected_area(np.empty(0)))


def test_bands_hold_every_row_and_say_where_calibration_is_off() -> None:
    probability = np.repeat([0.005, 0.02, 0.04, 1.0], 10_000)
    outcome = np.zeros(40_000, np.int64)
    outcome[10_000:10_200] = outcome[20_000:21_000] = 1
    outcome[30_000:] = 1
    found = bands(outcome, probability)
    assert [(it.low, it.high, it.rows) for it in found] == [
        (0.0, 0.01, 10_000),
        (0.02, 0.03, 10_000),
        (0.03, 0.05, 10_000),
        (0.2, 1.0, 10_000),
    ]
    assert [it.off for it in found] == [True, False, True, False]


def test_stability_is_zero_of_the_same_and_grows_with_the_distance() -> None:
    values = RANDOM.random(1_000) / 10
    assert stability(values, values) == 0.0
    assert 0 < stability(values + 0.005, values) < stability(values + 0.05, values)
    assert np.isnan(stability(np.empty(0), values))
