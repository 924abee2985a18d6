"""What decisions of the past would have been at another threshold."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.audit.chain import link_of
from app.audit.store.recorded_policies import policy_of
from app.audit.store.repository import Store, Stored
from app.errors import RecordInvalid
from app.scoring.model import wire_vector
from app.scoring.policy import Policy


@dataclass(frozen=True, slots=True)
class Swap:
    """Those about whom the two decide differently."""

    then: str
    now: str
    decisions: int
    ids: list[str]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """The same applicants, with the probability of their day, at the threshold of their day and at another."""

    threshold: float
    decisions: int
    approved_then: int
    approved_now: int
    swaps: list[Swap]

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
    """The rules of each decision's policy hold; only its threshold is another.

    Raises RecordUnavailable, and RecordInvalid for a decision that is not what was written or lacks its policy.
    """
    policies: dict[str, Policy] = {}
    counts = {(then, now): 0 for then in ("ACCEPT", "REJECT") for now in ("ACCEPT", "REJECT")}
    ids: dict[tuple[str, str], list[str]] = {pair: [] for pair in counts}
    for stored in records:
        try:
            record = link_of(stored.hash, stored.content).fields
            version = record["policy_version"]
            if version not in policies:
                policies[version] = replace(policy_of(store, version), threshold=threshold)
            now = policies[version].decide(wire_vector(record["features"]), record["probability"])
            pair = (record["decision"], now)
            counts[pair] += 1
        except (RecordInvalid, KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, RecordInvalid) else "its content is no decision"
            raise RecordInvalid(f"decision {stored.key}: {reason}; credit audit verify says more") from error
        if pair[0] != pair[1] and len(ids[pair]) < most_ids:
            ids[pair].append(stored.key)
        done(1)
    swaps = [Swap(*pair, counts[pair], ids[pair]) for pair in counts if pair[0] != pair[1]]
    approved_then = counts["ACCEPT", "ACCEPT"] + counts["ACCEPT", "REJECT"]
    approved_now = counts["ACCEPT", "ACCEPT"] + counts["REJECT", "ACCEPT"]
    return Simulation(threshold, sum(counts.values()), approved_then, approved_now, swaps)
