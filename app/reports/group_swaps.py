"""Who changes sides when a challenger decides, by groups that no model sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.audit.store.recorded_policies import RecordedPolicies
from app.reports.decided import PastDecision, swapped


@dataclass(frozen=True, slots=True)
class GroupSwap:
    """The applicants of one group whom a version decided on and a challenger scored too."""

    column: str
    group: str
    version: str
    challenger: str
    decisions: int
    swapped_out: int
    """Accepted by the version alone, the challenger being under the same policy."""
    swapped_in: int
    """Accepted by the challenger alone."""


@dataclass(slots=True)
class GroupSwaps:
    """Counts decisions; those that no challenger scored are passed over."""

    names: Sequence[str]
    policies: RecordedPolicies
    _counts: dict[tuple[str, str, str, str], list[int]] = field(default_factory=dict)
    """By column, version, challenger and group: decisions, out, in."""

    def add(self, it: PastDecision, groups: Sequence[str]) -> None:
        """One. groups: of the applicant, in the order of the names. Raises RecordUnavailable, RecordInvalid."""
        if it.challenger is None:
            return
        side = swapped(it, self.policies)
        for column, group in zip(self.names, groups, strict=True):
            counts = self._counts.setdefault((column, it.version, it.challenger.version, group), [0, 0, 0])
            counts[0] += 1
            counts[1] += side == "out"
            counts[2] += side == "in"

    def figures(self) -> list[GroupSwap]:
        """By column, version and challenger, the largest group first."""
        order = sorted(
            self._counts.items(),
            key=lambda item: (self.names.index(item[0][0]), item[0][1:3], -item[1][0], item[0][3]),
        )
        return [GroupSwap(key[0], key[3], key[1], key[2], *counts) for key, counts in order]
