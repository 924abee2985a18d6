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
    _bad: dict[tuple[str, str, str], list[int | None]] = field(default_factory=dict)
    """By direction and person, of each review how the loan went; None where there is none, or nobody knows yet."""

    def add(self, review: Review) -> None:
        """One."""
        outcome = self.known.get(review.decision_id) if review.verdict == "ACCEPT" else None
        bad = self._bad.setdefault((review.was, review.verdict, review.by), [])
        bad.append(None if outcome is None else outcome.bad)

    def figures(self) -> list[Reviewed]:
        """By direction, then by person."""
        found = []
        for key, bad in sorted(self._bad.items()):
            known = [it for it in bad if it is not None]
            found.append(Reviewed(*key, len(bad), len(known), share(sum(known), len(known))))
        return found
