"""What each factor does to the distance between groups that no model sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.audit.commands.replay import Deciders
from app.errors import NotCompilable
from app.reports.decided import PastDecision
from app.scoring.decider import Decider
from app.scoring.explaining import RowsEffects
from app.training.data import Floats, Integers

AT_ONCE = 5_000
"""Rows that are computed together."""


@dataclass(frozen=True, slots=True)
class FactorGap:
    """Of one group beside the largest one of its column."""

    column: str
    group: str
    factor: str
    """Empty for what the models say as they are."""
    difference: float
    """How much higher the group's mean log-odds are through this factor; through all of them where it is empty."""
    ratio: float
    """Of the approval rates by score, if every applicant had the reference applicant's value of this factor; NaN where
    nobody of either is approved."""


@dataclass(slots=True)
class _Sums:
    rows: int
    log_odds: float
    approved: int
    effects: Floats
    """Of each factor, summed over the rows."""
    approved_without: Integers

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.rows + other.rows,
            self.log_odds + other.log_odds,
            self.approved + other.approved,
            self.effects + other.effects,
            self.approved_without + other.approved_without,
        )


@dataclass(slots=True)
class _Waiting:
    effects: RowsEffects
    vectors: list[list[float]] = field(default_factory=list)
    groups: list[Sequence[str]] = field(default_factory=list)


@dataclass(slots=True)
class GroupGaps:
    """Counts decisions, each by the model and under the policy of its day."""

    names: Sequence[str]
    deciders: Deciders
    passed_over: int = 0
    """Decisions whose model is not to be had any more, or has no reference applicant or no form for many rows."""
    _waiting: dict[int, _Waiting | None] = field(default_factory=dict)
    """By the decider's identity; None for one that explains nothing."""
    _sums: dict[tuple[str, tuple[str, ...], str], _Sums] = field(default_factory=dict)
    """By column, factors of the model, and group."""

    def add(self, it: PastDecision, groups: Sequence[str]) -> None:
        """One. groups: of the applicant, in the order of the names. Raises ModelUnavailable, RecordUnavailable."""
        decider = self.deciders.of(it.fields)
        if isinstance(decider, str) or (waiting := self._of(decider)) is None:
            self.passed_over += 1
            return
        waiting.vectors.append(decider.model.contract.vector(it.fields["features"]))
        waiting.groups.append(groups)
        if len(waiting.vectors) == AT_ONCE:
            self._count(waiting)

    def figures(self) -> list[FactorGap]:
        """By column and group, the largest left out; of each first the models as they are, then the factors."""
        for waiting in self._waiting.values():
            if waiting is not None and waiting.vectors:
                self._count(waiting)
        found = []
        for part in sorted({key[:2] for key in self._sums}, key=lambda it: (self.names.index(it[0]), it[1])):
            of_part = {key[2]: sums for key, sums in self._sums.items() if key[:2] == part}
            groups = sorted(of_part, key=lambda group: (-of_part[group].rows, group))
            most = of_part[groups[0]]
            for group in groups[1:]:
                found += _gaps(*part, group, of_part[group], most)
        return found

    def _of(self, decider: Decider) -> _Waiting | None:
        if id(decider) not in self._waiting:
            try:
                self._waiting[id(decider)] = None if decider.reference is None else _Waiting(RowsEffects(decider))
            except NotCompilable:
                self._waiting[id(decider)] = None
        return self._waiting[id(decider)]

    def _count(self, waiting: _Waiting) -> None:
        decider = waiting.effects.decider
        log_odds, without = waiting.effects.of(np.array(waiting.vectors))
        with np.errstate(invalid="ignore", over="ignore"):
            effects = log_odds[:, None] - without
            approved, approved_without = (
                1 / (1 + np.exp(-it)) < decider.policy.accepts_below for it in (log_odds, without)
            )
        # Beyond all numbers an effect is none that a mean could take.
        effects[~np.isfinite(effects)] = 0.0
        for at, column in enumerate(self.names):
            texts = np.array([groups[at] for groups in waiting.groups])
            for group in np.unique(texts).tolist():
                mine = texts == group
                sums = _Sums(
                    rows=int(mine.sum()),
                    log_odds=float(np.where(np.isfinite(log_odds), log_odds, 0.0)[mine].sum()),
                    approved=int(approved[mine].sum()),
                    effects=effects[mine].sum(axis=0),
                    approved_without=approved_without[mine].sum(axis=0),
                )
                key = (column, waiting.effects.names, group)
                self._sums[key] = self._sums[key] + sums if key in self._sums else sums
        waiting.vectors.clear()
        waiting.groups.clear()


def _gaps(column: str, names: tuple[str, ...], group: str, mine: _Sums, most: _Sums) -> list[FactorGap]:
    whole = mine.log_odds / mine.rows - most.log_odds / most.rows
    found = [FactorGap(column, group, "", whole, _ratio(mine.approved / mine.rows, most.approved / most.rows))]
    for at, name in enumerate(names):
        difference = float(mine.effects[at] / mine.rows - most.effects[at] / most.rows)
        shares = (float(it.approved_without[at] / it.rows) for it in (mine, most))
        found.append(FactorGap(column, group, name, difference, _ratio(*shares)))
    return found


def _ratio(approved: float, most: float) -> float:
    return approved / most if approved and most else float("nan")
