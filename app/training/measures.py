"""How good a set of probabilities is, each measure as a function of outcomes and probabilities."""

import numpy as np

from app.training.data import Floats, Integers

CALIBRATION_BINS = 10


def roc_auc(outcome: Integers, probability: Floats) -> float:
    """Chance that a defaulter scores above a payer, ties counting half; NaN with one outcome only."""
    levels, _ = _levels(probability)
    return float(_auc(_counts(levels, outcome)))


def roc_auc_interval(outcome: Integers, probability: Floats, rounds: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the ROC AUC over resamples of the rows."""
    random = np.random.default_rng(seed)
    levels, count = _levels(probability)
    found = []
    for _ in range(rounds):
        drawn = random.integers(len(outcome), size=len(outcome))
        found.append(_auc(_counts(levels[drawn], outcome[drawn], count)))
    # A resample of very few rows may hold one outcome only; it says nothing and does not count.
    usable = np.array(found)[~np.isnan(found)]
    if not len(usable):
        return (float("nan"), float("nan"))
    low, high = np.percentile(usable, [2.5, 97.5])
    return (float(low), float(high))


def brier(outcome: Integers, probability: Floats) -> float:
    """Mean squared distance of the probability from the outcome."""
    return float(np.mean((probability - outcome) ** 2))


def calibration_bins(outcome: Integers, probability: Floats) -> tuple[Floats, Floats, Integers]:
    """Mean probability, default rate and rows of each of ten bins of equal counts, from the lowest scores up."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
    predicted = np.array([probability[part].mean() for part in parts])
    observed = np.array([outcome[part].mean() for part in parts])
    return predicted, observed, np.array([len(part) for part in parts])


def calibration_error(outcome: Integers, probability: Floats) -> float:
    """Expected calibration error: |default rate - mean probability| over the ten bins, weighted by their rows."""
    predicted, observed, rows = calibration_bins(outcome, probability)
    return float(np.average(np.abs(predicted - observed), weights=rows))


def kolmogorov_smirnov(outcome: Integers, probability: Floats) -> float:
    """Largest distance between the score distributions of defaulters and payers; NaN with one outcome only."""
    levels, count = _levels(probability)
    positive, negative = _counts(levels, outcome, count)
    if not positive.sum() or not negative.sum():
        return float("nan")
    distance = np.cumsum(positive) / positive.sum() - np.cumsum(negative) / negative.sum()
    return float(np.abs(distance).max())


def _levels(probability: Floats) -> tuple[Integers, int]:
    """The rank of each row's probability among the distinct ones, from 0, and how many distinct ones there are."""
    distinct, levels = np.unique(probability, return_inverse=True)
    return levels.astype(np.int64), len(distinct)


def _counts(levels: Integers, outcome: Integers, count: int = 0) -> tuple[Integers, Integers]:
    """Defaulters and payers at each level."""
    width = max(count, int(levels.max(initial=-1)) + 1)
    positive = np.bincount(levels[outcome == 1], minlength=width)
    return positive, np.bincount(levels, minlength=width) - positive


def _auc(counts: tuple[Integers, Integers]) -> float:
    positive, negative = counts
    pairs = float(positive.sum()) * float(negative.sum())
    if not pairs:
        return float("nan")
    below = np.cumsum(negative) - negative
    return float(np.dot(positive, below + negative / 2.0) / pairs)
