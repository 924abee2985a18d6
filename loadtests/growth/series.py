"""One thing that grows, what it costs at each size, and the exponent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loadtests.scoring import microseconds_a_row

HEADER = ["what grows", "sizes", "what it costs", "at these sizes", "exponent"]


@dataclass(frozen=True, slots=True)
class Series:
    """What grows, what is measured, and the cost by size."""

    grows: str
    costs: str
    by_size: dict[int, float]

    @property
    def exponent(self) -> float:
        """The slope of log(cost) over log(size): 1 where twice as many cost twice as much."""
        sizes, costs = np.log(list(self.by_size)), np.log(list(self.by_size.values()))
        return float(np.polyfit(sizes, costs, 1)[0])

    def line(self) -> list[str]:
        """As HEADER names the columns."""
        sizes = ", ".join(f"{size:,}" for size in self.by_size)
        costs = ", ".join(f"{cost:,.3g}" if cost < 100 else f"{cost:,.0f}" for cost in self.by_size.values())
        return [self.grows, sizes, self.costs, costs, f"{self.exponent:.2f}"]


def microseconds(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Of one item, in the quickest of a few rounds over all of them."""
    return microseconds_a_row(lambda: [work(item) for item in items], len(items))
