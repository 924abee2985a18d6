"""How a model treats groups that it does not see: those of columns that are kept from it."""

from dataclasses import dataclass
from math import exp, log, sqrt

from app.training.data import Dataset, Floats
from app.training.evaluate import FEWEST_OF_EACH_OUTCOME, Measures, measure

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Group:
    """The held-out applicants who have one text in one column."""

    column: str
    name: str
    measures: Measures
    approval_ratio: float
    """Approval rate over that of the largest group of the column, which has 1."""
    low: float
    """Of the ratio's 95 % interval."""
    high: float


def measure_groups(held_out: Dataset, probability: Floats, threshold: float) -> list[Group]:
    """By column, the largest group first; groups with fewer than ten of an outcome are left out.

    The interval is that of a ratio of two shares, on the logarithmic scale (Katz).
    """
    found = []
    for column, texts in held_out.groups.items():
        measured = []
        for name in sorted(set(texts.tolist())):
            chosen = texts == name
            outcome = held_out.outcome[chosen]
            if min(outcome.sum(), (1 - outcome).sum()) >= FEWEST_OF_EACH_OUTCOME:
                measured.append((name, measure(outcome, probability[chosen], threshold)))
        measured.sort(key=lambda pair: -pair[1].rows)
        for name, measures in measured:
            found.append(Group(column, name, measures, *_ratio(measures, measured[0][1])))
    return found


def _ratio(one: Measures, other: Measures) -> tuple[float, float, float]:
    """NaN where nobody of either is approved."""
    shares = [(it.approval_rate, it.rows) for it in (one, other)]
    if not all(share for share, _ in shares):
        return float("nan"), float("nan"), float("nan")
    ratio = shares[0][0] / shares[1][0]
    if one is other:
        return 1.0, 1.0, 1.0
    error = sqrt(sum((1 - share) / (share * rows) for share, rows in shares))
    return ratio, exp(log(ratio) - SURE * error), exp(log(ratio) + SURE * error)
