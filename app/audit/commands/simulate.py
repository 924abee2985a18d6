"""Simulates past decisions at another threshold."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from app.audit.store.recorded_policies import RecordedPolicies
from app.audit.store.repository import Store, Stored
from app.errors import RecordInvalid
from app.scoring.policy import VERDICTS, Verdict


@dataclass(frozen=True, slots=True)
class ChangedDecisions:
    """The decisions that would change from one verdict to the other."""

    then: str
    now: str
    decisions: int
    ids: list[str]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """Recorded decisions beside those at another threshold, on the recorded probabilities."""

    threshold: float
    decisions: int
    approved_then: int
    approved_now: int
    swaps: list[ChangedDecisions]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        then, now = (self._share(count) for count in (self.approved_then, self.approved_now))
        lines = [
            f"{self.decisions:,} decisions at a threshold of {self.threshold:g}",
            f"approved then  {self.approved_then:,} ({then})",
            f"approved now   {self.approved_now:,} ({now})",
        ]
        for it in self.swaps:
            lines.append(f"{it.then} then, {it.now} now: {it.decisions:,}")
            lines += [f"  {key}" for key in it.ids]
            if it.ids and it.decisions > len(it.ids):
                lines.append(f"  and {it.decisions - len(it.ids):,} more")
        return "\n".join(lines)

    def _share(self, count: int) -> str:
        return f"{count / self.decisions:.2%}" if self.decisions else "-"


def simulate(
    records: Iterable[Stored], store: Store, threshold: float, most_ids: int, done: Callable[[int], None]
) -> Simulation:
    """Decide again under each decision's own policy, with only the threshold replaced.

    most_ids: how many ids of changed decisions are kept in each direction. done: called with how many more.
    Raises RecordUnavailable, and RecordInvalid for a decision that is not what was written or lacks its policy.
    """
    policies = RecordedPolicies(store)
    counts = dict.fromkeys(product(VERDICTS, VERDICTS), 0)
    ids: dict[tuple[Verdict, Verdict], list[str]] = {pair: [] for pair in counts}
    for stored in records:
        try:
            record = stored.to_link().fields
            if not record["features"]:
                raise ValueError("a decision is about something")
            pair = record["decision"], policies.verdict(record, record["probability"], threshold)
            counts[pair] += 1
        except (RecordInvalid, LookupError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, RecordInvalid) else "its content is no decision"
            raise RecordInvalid(f"decision {stored.key}: {reason}; credit audit verify says more") from error
        if pair[0] != pair[1] and len(ids[pair]) < most_ids:
            ids[pair].append(stored.key)
        done(1)
    swaps = [
        ChangedDecisions(*pair, counts[pair], ids[pair])
        for pair in counts
        if pair[0] != pair[1] and ("REVIEW" not in pair or counts[pair])
    ]
    approved_then = sum(counts["ACCEPT", now] for now in VERDICTS)
    approved_now = sum(counts[then, "ACCEPT"] for then in VERDICTS)
    return Simulation(threshold, sum(counts.values()), approved_then, approved_now, swaps)
