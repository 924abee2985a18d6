"""How decisions of the record treated groups that no model sees."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.reports.decided import PastDecision
from app.reports.group_bands import GroupBand, GroupBands
from app.reports.group_gaps import FactorGap, GroupGaps
from app.reports.group_swaps import GroupSwap, GroupSwaps
from app.terminal import Part, as_markdown, as_text, interval, number
from app.training.groups import ratio_of

ALL = "all"
"""The row of all months or versions together."""

LIMITS = (
    "A ratio says how decisions differ between the groups of these applications, and not why: applicants differ in more"
    " than the group. Who is in no line of the file is in no figure. Below 0.8 the four-fifths rule asks for a closer"
    " look."
)

Key = tuple[str, str, str, str]
"""Column, month, version and group."""


@dataclass(frozen=True, slots=True)
class GroupDecisions:
    """The applicants of one group whom one version decided on in one month."""

    column: str
    group: str
    month: str
    version: str
    decisions: int
    approval_rate: float
    ratio: float
    """Of the approval rate to that of the column's largest group; NaN where nobody of either is approved."""
    low: float
    """Of the ratio's 95 % interval (Katz)."""
    high: float


@dataclass(frozen=True, slots=True)
class FairnessReport:
    """Columns in the file's order; of each all decisions first, then by month and version, the largest group first."""

    decisions: int
    joined: int
    """Those whose application the file has."""
    groups: list[GroupDecisions]
    bands: list[GroupBand]
    swaps: list[GroupSwap]
    gaps: list[FactorGap]
    """Empty where factors were not asked for."""
    passed_over: int
    """Decisions that the gaps are not of, because their models are not to be had or cannot be explained."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"note": LIMITS}

    def __str__(self) -> str:
        return as_text(self._parts())

    def to_markdown(self) -> str:
        return as_markdown("Groups that no model sees", self._parts())

    def _parts(self) -> list[Part]:
        rows = [["column", "group", "month", "version", "decisions", "approved", "ratio", "95 %"]]
        for it in self.groups:
            about = [it.column, it.group, it.month, it.version, f"{it.decisions:,}", f"{it.approval_rate:.2%}"]
            rows.append([*about, number(it.ratio, ".3f"), interval(it.low, it.high, ".3f")])
        head = f"{self.joined:,} of {self.decisions:,} decisions are on applications of the file"
        parts: list[Part] = [head, rows]
        if self.bands:
            parts.append(_band_rows(self.bands))
        if self.swaps:
            rows = [["column", "group", "version", "challenger", "both scored", "only version", "only challenger"]]
            for swap in self.swaps:
                counts = [f"{count:,}" for count in (swap.decisions, swap.swapped_out, swap.swapped_in)]
                rows.append([swap.column, swap.group, swap.version, swap.challenger, *counts])
            parts.append(rows)
        if self.gaps:
            rows = [["column", "group", "factor", "log-odds above the largest group", "approval ratio without it"]]
            for gap in self.gaps:
                about = [gap.column, gap.group, gap.factor or "as it is", f"{gap.difference:+.4f}"]
                rows.append([*about, number(gap.ratio, ".3f")])
            parts.append(rows)
        if self.passed_over:
            parts.append(
                f"factors: {self.passed_over:,} decisions are left out, whose models cannot be had or explained"
            )
        return [*parts, LIMITS]


def fairness_report(
    decisions: Iterable[PastDecision],
    known: Mapping[str, tuple[str, ...]],
    bands: GroupBands,
    swaps: GroupSwaps,
    gaps: GroupGaps | None,
) -> FairnessReport:
    """Of decisions in any order. known: the groups of each application, in the order of the columns' names.

    Raises RecordUnavailable, RecordInvalid for a decision that was changed, and with gaps ModelUnavailable.
    """
    decided: Counter[Key] = Counter()
    approved: Counter[Key] = Counter()
    count = joined = 0
    for it in decisions:
        count += 1
        if (groups := known.get(it.fields.get("application_id") or "")) is None:
            continue
        joined += 1
        bands.add(it, groups)
        swaps.add(it, groups)
        if gaps is not None:
            gaps.add(it, groups)
        for column, group in zip(bands.names, groups, strict=True):
            for key in ((column, ALL, ALL, group), (column, it.month, it.version, group)):
                decided[key] += 1
                approved[key] += it.verdict == "ACCEPT"
    return FairnessReport(
        decisions=count,
        joined=joined,
        groups=_groups(bands.names, decided, approved),
        bands=bands.figures(),
        swaps=swaps.figures(),
        gaps=[] if gaps is None else gaps.figures(),
        passed_over=0 if gaps is None else gaps.passed_over,
    )


def _band_rows(found: Sequence[GroupBand]) -> list[list[str]]:
    rows = [["column", "probability", "group", "decisions", "approved", "outcomes", "expected bad", "bad", "95 %"]]
    for it in found:
        about = [it.column, f"{it.low:g} to {it.high:g}", it.group, f"{it.decisions:,}", f"{it.approval_rate:.2%}"]
        bad = it.bad_rate
        expected = [f"{it.outcomes:,}", number(it.expected_bad_rate, ".2%"), number(bad.value, ".2%")]
        rows.append([*about, *expected, interval(bad.low, bad.high, ".2%")])
    return rows


def _groups(names: Sequence[str], decided: Counter[Key], approved: Counter[Key]) -> list[GroupDecisions]:
    def order(part: tuple[str, str, str]) -> tuple[int, bool, str, str]:
        return names.index(part[0]), part[1] != ALL, part[1], part[2]

    found = []
    for part in sorted({key[:3] for key in decided}, key=order):
        groups = sorted((key for key in decided if key[:3] == part), key=lambda key: (-decided[key], key[3]))
        rows = [float(decided[key]) for key in groups]
        shares = [approved[key] / decided[key] for key in groups]
        for at, (column, month, version, group) in enumerate(groups):
            ratio = ratio_of(shares, rows, at)
            found.append(GroupDecisions(column, group, month, version, int(rows[at]), shares[at], *ratio))
    return found
