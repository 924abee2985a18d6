"""What people decided beside the service: how often, in which direction, and how that went."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.review_rows import Review
from app.reports.figures import Share, share


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The reviews of one direction by one person."""

    was: str
    """What the service had said."""
    now: str
    by: str
    reviews: int
    outcomes: int
    """Known, of those that were accepted."""
    bad_rate: Share


@dataclass(slots=True)
class ReviewCounts:
    """Counts the reviews of decisions."""

    known: Mapping[str, KnownOutcome]
    _bad: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    _counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def add(self, review: Review) -> None:
        """One."""
        key = (review.was, review.verdict, review.by)
        self._counts[key] = self._counts.get(key, 0) + 1
        bad = self._bad.setdefault(key, [])
        if review.verdict == "ACCEPT" and (outcome := self.known.get(review.decision_id)) is not None:
            bad.append(outcome.bad)

    def figures(self) -> list[Reviewed]:
        """By direction, then by person."""
        return [
            Reviewed(*key, self._counts[key], len(bad), share(sum(bad), len(bad)))
            for key, bad in sorted(self._bad.items())
        ]
