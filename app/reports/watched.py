"""The figures that alerts watch: of each version, the latest months whose outcomes are known, together."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.reports.figures import ALARM, Share, area, expected_area, share
from app.training.data import Floats, Integers

MONTHS = 3
"""Of decisions, the latest with an outcome: one month has few defaults, and a year hides what has begun."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Of one version. Intervals are wide, of three standard errors, because they are looked at again and again."""

    version: str
    first: str
    last: str
    """Months of decisions, both included."""
    outcomes: int
    bad_rate: Share
    expected_bad_rate: float
    auc: Share
    expected_auc: float
    """If the probabilities are right."""

    @property
    def miscalibrated(self) -> bool:
        """Whether the expected rate lies outside of the observed one's interval."""
        return not self.bad_rate.low <= self.expected_bad_rate <= self.bad_rate.high

    @property
    def findings(self) -> list[str]:
        """What an alert tells of, a sentence each."""
        told = []
        if self.miscalibrated:
            low, high = (f"{it:.2%}" for it in (self.bad_rate.low, self.bad_rate.high))
            told.append(f"{self.expected_bad_rate:.2%} bad were expected, {low} to {high} is the truth's range")
        if self.ranks_worse:
            told.append(f"a ROC AUC of {self.expected_auc:.4f} was expected, it is at most {self.auc.high:.4f}")
        return told

    @property
    def ranks_worse(self) -> bool:
        """Whether the ROC AUC's whole interval lies below what the probabilities promise."""
        return self.auc.high < self.expected_auc


def watched(version: str, months: Sequence[str], outcome: Integers, probability: Floats) -> Watched:
    """months: those that the rows are of, in their order. Rows: outcomes that are known, at least one."""
    return Watched(
        version=version,
        first=months[0],
        last=months[-1],
        outcomes=len(outcome),
        bad_rate=share(int(outcome.sum()), len(outcome), ALARM),
        expected_bad_rate=float(probability.mean()),
        auc=area(outcome, probability, ALARM),
        expected_auc=expected_area(probability),
    )
