"""Counts of values by bin: eleven of them a decision, each an addition to a list instead of a call with a lock."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

MISSING = -1
"""Index, in the counts of a feature, of the values that were missing."""


class BinCounts(Collector):
    """A counter with the labels feature and bin. Counted in one thread, the one that answers requests."""

    def __init__(self, name: str, documentation: str) -> None:
        self._name = name
        self._documentation = documentation
        self._counts: dict[str, list[int]] = {}
        self._nullable: set[str] = set()

    def of(self, feature: str, bins: int, nullable: bool) -> list[int]:
        """The counts of a feature, one a bin and the missing ones last, to be added to.

        They go on from where they are; of a model with another number of bins they begin anew.
        """
        if len(self._counts.get(feature, ())) != bins + 1:
            self._counts[feature] = [0] * (bins + 1)
        if nullable:
            self._nullable.add(feature)
        return self._counts[feature]

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=["feature", "bin"])
        for feature, counts in self._counts.items():
            for index, count in enumerate(counts[:MISSING]):
                family.add_metric([feature, str(index)], count)
            if feature in self._nullable:
                family.add_metric([feature, "missing"], counts[MISSING])
        yield family
