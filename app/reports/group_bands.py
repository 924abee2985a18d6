"""Groups that no model sees, compared among applicants whom the model holds for equally risky."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.audit.store.outcome_rows import KnownOutcome
from app.reports.decided import PastDecision
from app.reports.figures import BANDS, EDGES, Share, share


@dataclass(frozen=True, slots=True)
class GroupBand:
    """The applicants of one group whose probability lies in [low, high)."""

    column: str
    group: str
    low: float
    high: float
    decisions: int
    approval_rate: float
    outcomes: int
    """Known, of the accepted."""
    expected_bad_rate: float
    """Mean probability of those."""
    bad_rate: Share


@dataclass(slots=True)
class _Cell:
    decisions: int = 0
    approved: int = 0
    outcomes: int = 0
    bad: int = 0
    expected: float = 0.0


@dataclass(slots=True)
class GroupBands:
    """Counts decisions."""

    names: Sequence[str]
    known: Mapping[str, KnownOutcome]
    _cells: dict[tuple[str, int, str], _Cell] = field(default_factory=dict)
    """By column, number of the band, and group."""

    def add(self, it: PastDecision, groups: Sequence[str]) -> None:
        """One. groups: of the applicant, in the order of the names."""
        band = sum(it.probability >= edge for edge in BANDS)
        outcome = self.known.get(it.key) if it.verdict == "ACCEPT" else None
        for column, group in zip(self.names, groups, strict=True):
            cell = self._cells.setdefault((column, band, group), _Cell())
            cell.decisions += 1
            cell.approved += it.verdict == "ACCEPT"
            if outcome is not None:
                cell.outcomes += 1
                cell.bad += outcome.bad
                cell.expected += it.probability

    def figures(self) -> list[GroupBand]:
        """By column and band, the largest group of the column first."""
        sizes: Counter[tuple[str, str]] = Counter()
        for (column, _, group), cell in self._cells.items():
            sizes[column, group] += cell.decisions

        def order(key: tuple[str, int, str]) -> tuple[int, int, int, str]:
            column, band, group = key
            return self.names.index(column), band, -sizes[column, group], group

        return [
            GroupBand(
                column=key[0],
                group=key[2],
                low=EDGES[key[1]],
                high=EDGES[key[1] + 1],
                decisions=cell.decisions,
                approval_rate=cell.approved / cell.decisions,
                outcomes=cell.outcomes,
                expected_bad_rate=cell.expected / cell.outcomes if cell.outcomes else float("nan"),
                bad_rate=share(cell.bad, cell.outcomes),
            )
            for key, cell in sorted(self._cells.items(), key=lambda item: order(item[0]))
        ]
