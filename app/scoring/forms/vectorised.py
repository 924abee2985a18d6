"""A scorer specification -> the log-odds of many rows at once, with the same bits as `app.scoring.forms.compiled`.

A value counts only through which thresholds it exceeds. So each value becomes a bin between two neighbouring
thresholds of the whole model, and for each bin of a feature a table holds, in one word a tree, the leaves whose path
lets that bin through. The words of all the features of a row together leave one bit a tree: its leaf. The leaves are
added in the order of the trees, as one row's are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, Protocol

from app.errors import NotCompilable
from app.scoring.forms.extract import Spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Columns = npt.NDArray[Any]

MOST_LEAVES = 64
"""Of one tree: the bits of the widest word."""

CELLS_A_BLOCK = 1 << 17
"""Rows times trees that are worked on together: what stays in a core's cache."""


class Vectorised(Protocol):
    """Columns are the model's inputs, one row an input: what `prepare` gives, chosen or changed as it needs be."""

    def prepare(self, inputs: "Floats") -> "Columns":
        """inputs: one row an applicant. A value's column form depends on nothing but that value."""

    def log_odds(self, columns: "Columns") -> "Floats":
        """Of each applicant."""


def vectorise(spec: Spec) -> Vectorised:
    """For a specification made by `app.scoring.forms.extract.extract`. Loads numpy.

    Raises NotCompilable for a kind it does not know or a tree with too many leaves.
    """
    if spec["kind"] == "boosted_trees":
        return _Trees(spec)
    if spec["kind"] == "linear":
        return _Linear(spec)
    raise NotCompilable(f"no vectorised form for a scorer of kind {spec['kind']!r}")


class _Trees:
    """For one thread at a time."""

    def __init__(self, spec: Spec) -> None:
        import numpy as np

        trees = spec["trees"]
        counts = [sum(tree["leaf"]) for tree in trees]
        if max(counts) > MOST_LEAVES:
            raise NotCompilable(f"a tree has {max(counts)} leaves, more than the {MOST_LEAVES} bits of a word")
        width = next(bits for bits in (8, 16, 32, 64) if max(counts) <= bits)
        word = np.dtype(f"u{width // 8}")
        self._baseline = float(spec["baseline"])
        self._thresholds = [np.array(sorted(found)) for found in _thresholds(spec)]
        every_leaf = np.array([(1 << count) - 1 for count in counts], word)
        # The last row is the bin of a missing value.
        self._tables = [np.tile(every_leaf, (len(thresholds) + 2, 1)) for thresholds in self._thresholds]
        self._values = np.zeros(len(trees) * width)
        for number, tree in enumerate(trees):
            for leaf, (value, path) in enumerate(_leaves(tree)):
                self._values[number * width + leaf] = value
                for step in path:
                    self._shut(step, number, ~word.type(1 << leaf))
        # A power of two as a float has its exponent, plus 1023, in the bits from the 52nd on.
        self._first = np.arange(len(trees)) * width - 1023
        self._rows = max(1, CELLS_A_BLOCK // len(trees))
        # Kept, because memory of this size is otherwise asked of the system, page by page, for every block.
        shape = (self._rows, len(trees))
        self._words = np.empty(shape, word), np.empty(shape, word)
        self._powers, self._leaf_values = np.empty(shape), np.empty(shape)

    def _shut(self, step: "_Step", tree: int, others: Any) -> None:
        """Take a leaf away from the bins on the other side of a split."""
        bins = self._tables[step.feature][:, tree]
        if step.values is None:
            edge = int(self._thresholds[step.feature].searchsorted(step.threshold)) + 1
            bins[slice(edge, -1) if step.left else slice(edge)] &= others
            if not step.missing_passes:
                bins[-1] &= others
            return
        own = self._thresholds[step.feature].searchsorted(step.values)
        if step.missing_passes:
            bins[own] &= others
        else:
            kept = bins[own]
            bins &= others
            bins[own] = kept

    def prepare(self, inputs: "Floats") -> "Columns":
        import numpy as np

        columns = np.empty(inputs.shape[::-1], np.intp)
        for thresholds, values, bins in zip(self._thresholds, inputs.T, columns, strict=True):
            bins[:] = thresholds.searchsorted(values)
            bins[np.isnan(values)] = len(thresholds) + 1
        return columns

    def log_odds(self, columns: "Columns") -> "Floats":
        import numpy as np

        totals = np.full(columns.shape[1], self._baseline)
        for start in range(0, len(totals), self._rows):
            block = slice(start, start + self._rows)
            for values in self._leaves_of(columns[:, block]).T:
                totals[block] += values
        return totals

    def _leaves_of(self, columns: "Columns") -> "Floats":
        """The leaves' values: one row an applicant, one column a tree."""
        count = columns.shape[1]
        left, other = (words[:count] for words in self._words)
        # Each bin is one of the table's own, so that clipping changes none; it only spares a check.
        self._tables[0].take(columns[0], axis=0, out=left, mode="clip")
        for table, bins in zip(self._tables[1:], columns[1:], strict=True):
            left &= table.take(bins, axis=0, out=other, mode="clip")
        powers = self._powers[:count]
        powers[:] = left
        leaves = powers.view("i8")
        leaves >>= 52
        leaves += self._first
        return self._values.take(leaves, out=self._leaf_values[:count], mode="clip")


def _thresholds(spec: Spec) -> list[set[float]]:
    """By feature."""
    found: list[set[float]] = [set() for _ in range(spec["inputs"])]
    for tree in spec["trees"]:
        for node, (leaf, feature) in enumerate(zip(tree["leaf"], tree["feature"], strict=True)):
            if leaf:
                continue
            if (values := values_of(tree, node)) is None:
                found[feature].add(float(tree["threshold"][node]))
            else:
                # So that each of the values has a bin of its own.
                found[feature].update(edge for value in values for edge in (nextafter(value, -inf), value))
    return found


def values_of(tree: dict[str, list[Any]], node: int) -> list[float] | None:
    """Of a node that splits a category the values that go where a missing one does not; None of any other."""
    return tree["values"][node] if "values" in tree else None


@dataclass(frozen=True, slots=True)
class _Step:
    """One side of a split."""

    feature: int
    threshold: float
    left: bool
    missing_passes: bool
    """Whether a missing value goes there."""
    values: list[float] | None


def _leaves(tree: dict[str, list[Any]]) -> Iterator[tuple[float, list[_Step]]]:
    """Each leaf's value and path."""
    waiting: list[tuple[int, list[_Step]]] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if tree["leaf"][node]:
            yield float(tree["value"][node]), path
            continue
        feature, threshold = tree["feature"][node], float(tree["threshold"][node])
        missing_left = bool(tree["missing_left"][node])
        values = values_of(tree, node)
        waiting.append((tree["left"][node], [*path, _Step(feature, threshold, True, missing_left, values)]))
        waiting.append((tree["right"][node], [*path, _Step(feature, threshold, False, not missing_left, values)]))


class _Linear:
    def __init__(self, spec: Spec) -> None:
        import numpy as np

        self._intercept = float(spec["intercept"])
        self._coefficients = [float(coefficient) for coefficient in spec["coefficients"]]
        self._steps = [
            {name: np.array(it)[:, None] for name, it in step.items() if name != "kind"} for step in spec["steps"]
        ]

    def prepare(self, inputs: "Floats") -> "Columns":
        import numpy as np

        values = np.ascontiguousarray(inputs.T)
        # Numbers too large become infinite here as they do, in silence, in Python.
        with np.errstate(all="ignore"):
            for step in self._steps:
                values = (
                    np.where(np.isnan(values), step["fill"], values)
                    if "fill" in step
                    else (values - step["mean"]) / step["scale"]
                )
        return values

    def log_odds(self, columns: "Columns") -> "Floats":
        import numpy as np

        totals = np.zeros(columns.shape[1])
        with np.errstate(all="ignore"):
            for values, coefficient in zip(columns, self._coefficients, strict=True):
                totals += values * coefficient
            return totals + self._intercept
