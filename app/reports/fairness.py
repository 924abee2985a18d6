"""How decisions of the record treated groups that no model sees: approval rates and their ratios."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.audit.store.repository import Stored
from app.audit.store.review_rows import Review, final
from app.errors import RecordInvalid
from app.terminal import table
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

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"note": LIMITS}

    def __str__(self) -> str:
        rows = [["column", "group", "month", "version", "decisions", "approved", "ratio", "95 %"]]
        for it in self.groups:
            ratio = "-" if it.ratio != it.ratio else f"{it.ratio:.3f}"
            interval = "-" if it.ratio != it.ratio else f"{it.low:.3f} to {it.high:.3f}"
            about = [it.column, it.group, it.month, it.version, f"{it.decisions:,}", f"{it.approval_rate:.2%}"]
            rows.append([*about, ratio, interval])
        head = f"{self.joined:,} of {self.decisions:,} decisions are on applications of the file"
        return "\n\n".join([head, table(rows, figures=True), LIMITS])


def fairness_report(
    records: Iterable[Stored],
    names: Sequence[str],
    known: Mapping[str, tuple[str, ...]],
    by_people: Mapping[str, Review],
    done: Callable[[int], None],
) -> FairnessReport:
    """Of decisions in any order. names: of the kinds of groups; known: the groups of each application, in that order.
    by_people: reviews by the decision's id.

    done: called with how many more were read. Raises RecordUnavailable, RecordInvalid for a decision that was changed.
    """
    decided: Counter[Key] = Counter()
    approved: Counter[Key] = Counter()
    count = joined = 0
    for stored in records:
        try:
            fields = stored.to_link().fields
            month, version = fields["at"][:7], fields["model"]["version"]
            verdict = final(fields["decision"], by_people.get(stored.key))
        except (RecordInvalid, KeyError, TypeError) as error:
            raise RecordInvalid(
                f"decision {stored.key} is not what was written; credit audit verify says more"
            ) from error
        count += 1
        done(1)
        if (groups := known.get(fields.get("application_id") or "")) is None:
            continue
        joined += 1
        for column, group in zip(names, groups, strict=True):
            for key in ((column, ALL, ALL, group), (column, month, version, group)):
                decided[key] += 1
                approved[key] += verdict == "ACCEPT"
    return FairnessReport(count, joined, _groups(names, decided, approved))


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
