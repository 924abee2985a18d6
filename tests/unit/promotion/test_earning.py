"""Which threshold earns most follows from margin, loss and the outcomes alone."""

import numpy as np
import pytest

from app.promotion.earning import best_threshold, earned
from app.promotion.earning_picture import draw_earnings
from app.training.data import Floats, Integers

SCORES = np.array([0.01, 0.02, 0.02, 0.1, 0.3, 0.5])
OUTCOME = np.array([0, 0, 1, 0, 1, 1])


def test_what_a_threshold_earns_is_the_margin_of_the_good_less_the_loss_of_the_bad() -> None:
    found = earned(0.2, SCORES, OUTCOME, margin=0.1, loss=0.6)
    assert (found.approval_rate, found.default_rate) == (4 / 6, 1 / 4)
    assert found.profit == pytest.approx((3 * 0.1 - 0.6) / 6)
    nobody = earned(0.01, SCORES, OUTCOME, margin=0.1, loss=0.6)
    assert (nobody.approval_rate, nobody.default_rate, nobody.profit) == (0.0, None, 0.0)


@pytest.mark.parametrize(("margin", "loss", "approved"), [(0.1, 0.6, 1), (0.5, 0.4, 4), (9.0, 0.1, 4), (0.01, 1.0, 1)])
def test_the_best_threshold_earns_at_least_what_any_other_does(margin: float, loss: float, approved: int) -> None:
    best = best_threshold(SCORES, OUTCOME, margin, loss)
    profit = earned(best, SCORES, OUTCOME, margin, loss).profit
    assert int((best > SCORES).sum()) == approved
    assert all(profit >= earned(it, SCORES, OUTCOME, margin, loss).profit - 1e-12 for it in (*SCORES, *SCORES + 1e-9))


def test_where_every_threshold_loses_nobody_is_approved() -> None:
    scores: Floats = np.array([0.2, 0.3])
    outcome: Integers = np.array([1, 1])
    assert earned(best_threshold(scores, outcome, 0.1, 0.9), scores, outcome, 0.1, 0.9).approval_rate == 0.0


def test_a_calibrated_score_earns_most_at_the_break_even() -> None:
    random = np.random.default_rng(3)
    scores = random.random(200_000) ** 3
    outcome = (random.random(200_000) < scores).astype(np.int64)
    assert best_threshold(scores, outcome, 0.1, 0.75) == pytest.approx(0.1 / 0.85, abs=0.02)


@pytest.mark.parametrize(("scores", "outcome"), [(SCORES, OUTCOME), (np.full(3, 0.2), np.ones(3, np.int64))])
def test_what_every_threshold_earns_is_drawn(scores: Floats, outcome: Integers) -> None:
    picture = draw_earnings(scores, outcome, 0.1, 0.75, 0.05, 0.11)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert 5_000 < len(picture) < 300_000
