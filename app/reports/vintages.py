"""Vintage curves: of the accepted of one month, how many had defaulted by when."""

from collections import Counter
from dataclasses import dataclass, field

from app.audit.store.outcome_rows import KnownOutcome

AGES = (3, 6, 9, 12, 18, 24)
"""Months after the month of the decision."""


@dataclass(frozen=True, slots=True)
class Vintage:
    """The decisions of one month, by whatever version."""

    month: str
    outcomes: int
    """Known by now."""
    bad_within: list[float]
    """Of those, the share whose default was observed within so many months, for each of AGES that has been reached."""


@dataclass(slots=True)
class VintageCounts:
    """Counts the outcomes of accepted decisions."""

    _outcomes: Counter[str] = field(default_factory=Counter)
    _bad: dict[str, Counter[int]] = field(default_factory=dict)
    _latest: str = ""

    def add(self, month: str, outcome: KnownOutcome) -> None:
        """One. month: of the decision, as 2026-01."""
        self._outcomes[month] += 1
        self._latest = max(self._latest, outcome.observed[:7])
        if outcome.bad:
            self._bad.setdefault(month, Counter())[months_between(month, outcome.observed)] += 1

    def figures(self) -> list[Vintage]:
        """In the order of months. An age is reached once outcomes of that month have come in."""
        return [
            Vintage(month, count, [self._within(month, age) / count for age in AGES if self._reached(month, age)])
            for month, count in sorted(self._outcomes.items())
        ]

    def _reached(self, month: str, age: int) -> bool:
        return age <= months_between(month, self._latest)

    def _within(self, month: str, age: int) -> int:
        return sum(count for at, count in self._bad.get(month, Counter()).items() if at <= age)


def months_between(first: str, last: str) -> int:
    """Both as 2026-01, or a day of it."""
    (year, month), (later_year, later_month) = ((int(it[:4]), int(it[5:7])) for it in (first, last))
    return 12 * (later_year - year) + later_month - month
