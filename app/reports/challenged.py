"""A challenger beside the version that decided, on the same decisions."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.recorded_policies import RecordedPolicies
from app.reports.decided import PastDecision, swapped
from app.reports.figures import Share, area, share
from app.training import measures
from app.training.data import Floats, Integers


@dataclass(frozen=True, slots=True)
class Challenged:
    """The decisions of one version that one challenger scored too."""

    version: str
    challenger: str
    decisions: int
    outcomes: int
    """Known, of the accepted."""
    auc: Share
    challenger_auc: Share
    brier: float
    challenger_brier: float
    swapped_out: int
    """Accepted by the version, and not by the challenger under the same policy."""
    swapped_out_bad: Share
    """Default rate of those of them whose outcome is known."""
    swapped_in: int
    """Accepted by the challenger alone; of them no outcome can be known."""


@dataclass(slots=True)
class _Pair:
    decisions: int = 0
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    """Of those with an outcome, as the other two."""
    others: "array[float]" = field(default_factory=lambda: array("d"))
    bad: "array[int]" = field(default_factory=lambda: array("b"))
    swapped_out: int = 0
    swapped_out_bad: list[int] = field(default_factory=list)
    swapped_in: int = 0


@dataclass(slots=True)
class ChallengedCounts:
    """Counts decisions; those that no challenger scored are passed over."""

    known: Mapping[str, KnownOutcome]
    policies: RecordedPolicies
    _pairs: dict[tuple[str, str], _Pair] = field(default_factory=dict)

    def add(self, it: PastDecision) -> None:
        """One. Raises RecordUnavailable, RecordInvalid."""
        if it.challenger is None:
            return
        pair = self._pairs.setdefault((it.version, it.challenger.version), _Pair())
        pair.decisions += 1
        outcome = self.known.get(it.key) if it.verdict == "ACCEPT" else None
        if outcome is not None:
            pair.scores.append(it.probability)
            pair.others.append(it.challenger.probability)
            pair.bad.append(outcome.bad)
        side = swapped(it, self.policies)
        pair.swapped_in += side == "in"
        pair.swapped_out += side == "out"
        if side == "out" and outcome is not None:
            pair.swapped_out_bad.append(outcome.bad)

    def figures(self) -> list[Challenged]:
        """By version and challenger."""
        return [_challenged(*key, pair) for key, pair in sorted(self._pairs.items())]


def _challenged(version: str, challenger: str, pair: _Pair) -> Challenged:
    bad, scores, others = np.array(pair.bad, np.int64), np.array(pair.scores), np.array(pair.others)
    return Challenged(
        version=version,
        challenger=challenger,
        decisions=pair.decisions,
        outcomes=len(bad),
        auc=area(bad, scores),
        challenger_auc=area(bad, others),
        brier=_brier(bad, scores),
        challenger_brier=_brier(bad, others),
        swapped_out=pair.swapped_out,
        swapped_out_bad=share(sum(pair.swapped_out_bad), len(pair.swapped_out_bad)),
        swapped_in=pair.swapped_in,
    )


def _brier(bad: Integers, scores: Floats) -> float:
    return measures.brier(bad, scores) if len(bad) else float("nan")
