"""Figures of probabilities and outcomes, each with the interval that its rows allow."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from app.training import measures
from app.training.data import Floats, Integers

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""
ALARM = 3.0
"""The same of an interval that somebody is woken by: chance alone leaves it once in 370 times."""
BANDS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
"""Edges of the bands of probability that are looked at apart."""
EDGES = (0.0, *BANDS, 1.0)
"""The same with both ends."""
LEAST_SHARE = 1e-4
"""Of a band that is empty, so that a logarithm has a value."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of some rows with its 95 % interval; NaN where there are none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """The rows whose probability lies in [low, high)."""

    low: float
    high: float
    rows: int
    expected: float
    """Mean probability."""
    observed: Share
    """Default rate."""

    @property
    def off(self) -> bool:
        """Whether the expected rate lies outside of the observed one's interval."""
        return bool(self.rows) and not self.observed.low <= self.expected <= self.observed.high


def share(count: int, rows: int, sure: float = SURE) -> Share:
    """The interval is Wilson's, which stays inside of 0 and 1. sure: standard errors on either side."""
    if not rows:
        return Share(float("nan"), float("nan"), float("nan"))
    value, square = count / rows, sure**2
    middle = (value + square / (2 * rows)) / (1 + square / rows)
    half = sure * sqrt(value * (1 - value) / rows + square / (4 * rows**2)) / (1 + square / rows)
    # All or none reach the end itself, which rounding may miss.
    return Share(value, middle - half if count else 0.0, middle + half if count < rows else 1.0)


def area(outcome: Integers, probability: Floats, sure: float = SURE) -> Share:
    """ROC AUC; the interval is that of Hanley and McNeil (1982), which needs no resampling."""
    value = measures.roc_auc(outcome, probability)
    bad = int(outcome.sum())
    good = len(outcome) - bad
    if not bad or not good:
        return Share(float("nan"), float("nan"), float("nan"))
    above, below = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (bad - 1) * (above - value**2) + (good - 1) * (below - value**2)
    error = sqrt(max(0.0, spread) / (bad * good))
    return Share(value, max(0.0, value - sure * error), min(1.0, value + sure * error))


def expected_area(probability: Floats) -> float:
    """The ROC AUC that is to be expected while no outcome is known, if the probabilities are right; NaN of no rows.

    Each row counts as a default with its probability and as paid with the rest: what is called confidence-based
    performance estimation.
    """
    distinct, levels = np.unique(probability, return_inverse=True)
    bad = np.bincount(levels, weights=probability, minlength=len(distinct))
    good = np.bincount(levels, weights=1 - probability, minlength=len(distinct))
    pairs = float(bad.sum() * good.sum())
    return float(np.dot(bad, np.cumsum(good) - good / 2) / pairs) if pairs else float("nan")


def bands(outcome: Integers, probability: Floats) -> list[Band]:
    """Those that have rows, from the lowest up."""
    place = np.searchsorted(BANDS, probability, side="right")
    found = []
    for number, (low, high) in enumerate(zip(EDGES, EDGES[1:], strict=False)):
        rows = place == number
        count = int(rows.sum())
        if count:
            observed = share(int(outcome[rows].sum()), count)
            found.append(Band(low, high, count, float(probability[rows].mean()), observed))
    return found


def stability(probability: Floats, against: Floats) -> float:
    """Population stability index of two sets of probabilities over the bands; NaN where one is empty."""
    places = (np.searchsorted(BANDS, values, side="right") for values in (probability, against))
    return shift(*(np.bincount(each, minlength=len(BANDS) + 1) for each in places))


def shift(counts: Integers, against: Integers) -> float:
    """Population stability index of two sets of rows, counted in the same bins; NaN where one is empty."""
    if not counts.sum() or not against.sum():
        return float("nan")
    now, then = (np.maximum(it / it.sum(), LEAST_SHARE) for it in (counts, against))
    return float(((now - then) * np.log(now / then)).sum())
