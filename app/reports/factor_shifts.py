"""How the factors of the applicants move from month to month."""

from dataclasses import dataclass, field

import numpy as np

from app.contract.computed import ComputedFactors
from app.contract.contract import Contract
from app.reports.decided import PastDecision
from app.reports.figures import shift
from app.training.data import Floats, Integers
from app.training.reference import DECILES

AT_ONCE = 5_000
"""Rows that are computed together."""
WORTH_A_LOOK = 0.1
"""A population stability index below this is what chance and seasons do; from 0.25 on much has changed."""


@dataclass(frozen=True, slots=True)
class FactorShift:
    """Population stability index of one factor in one month against the first month, over the first month's deciles,
    a missing value being a part of its own; of a category over its values."""

    month: str
    factor: str
    value: float


@dataclass(slots=True)
class FactorShifts:
    """Counts decisions, which come in the order of their time."""

    contract: Contract
    """That the applications were made under; those that do not fit it are passed over."""
    _factors: ComputedFactors = field(init=False)
    _waiting: list[list[float]] = field(default_factory=list)
    """Wire vectors of one month."""
    _month: str = ""
    _first: list[Floats] = field(default_factory=list)
    """Factors of the first month, until it is over."""
    _edges: list[Floats] = field(default_factory=list)
    """Of the bins of each factor, once the first month is over."""
    _counts: dict[str, list[Integers]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._factors = ComputedFactors(self.contract)

    def add(self, it: PastDecision) -> None:
        """One."""
        try:
            vector = self.contract.vector(it.fields["features"])
        except (KeyError, TypeError, ValueError):
            # Made under another contract.
            return
        if it.month != self._month or len(self._waiting) == AT_ONCE:
            self._count()
            self._month = it.month
        self._waiting.append(vector)

    def figures(self) -> list[FactorShift]:
        """Of each month after the first, in order."""
        self._count()
        self._end_first_month()
        first, *later = self._counts or [""]
        names = self.contract.factor_names
        return [
            FactorShift(month, name, shift(now, then))
            for month in later
            for name, now, then in zip(names, self._counts[month], self._counts[first], strict=True)
        ]

    def _count(self) -> None:
        if not self._waiting:
            return
        found = self._factors.matrix(np.array(self._waiting))
        self._waiting.clear()
        if not self._counts:
            self._counts[self._month] = []
        if self._month in self._counts and not self._edges:
            self._first.append(found)
            return
        self._end_first_month()
        self._add(self._month, found)

    def _end_first_month(self) -> None:
        if not self._first:
            return
        found = np.concatenate(self._first)
        self._first.clear()
        for at, categories in enumerate(self.contract.categories):
            codes = np.arange(len(categories), dtype=np.float64)
            self._edges.append(codes if categories else _edges(found[:, at]))
        self._add(next(iter(self._counts)), found)

    def _add(self, month: str, found: Floats) -> None:
        counts = [_binned(found[:, at], edges) for at, edges in enumerate(self._edges)]
        before = self._counts.get(month)
        self._counts[month] = [new + old for new, old in zip(counts, before, strict=True)] if before else counts


def _edges(values: Floats) -> Floats:
    """The deciles, and both ends: what lies beyond them is a part of its own, and no part of a constant's."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.empty(0)
    deciles = np.quantile(present, DECILES, method="inverted_cdf")
    return np.unique([np.nextafter(present.min(), -np.inf), *deciles, present.max()])


def _binned(values: Floats, edges: Floats) -> Integers:
    """How many lie in each bin; a missing value sorts behind every number and has the last one."""
    present = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, present), minlength=len(edges) + 2)
    counts[-1] = len(values) - len(present)
    return counts.astype(np.int64)
