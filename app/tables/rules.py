"""What every row has to hold, whoever reads it, and the sentences about those that do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from app.features import NULLABLE, TARGET

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PLACES_SHOWN = 5

WORD, MISSING, INFINITE, NEGATIVE, NO_OUTCOME = (
    "is not a number",
    "is missing",
    "is infinite",
    "is negative",
    "is not 0 or 1",
)
ALLOWED = {
    WORD: "a number is written like 1234.5, a missing value as an empty cell or NA",
    MISSING: f"only {' and '.join(sorted(NULLABLE))} may be missing",
}


@dataclass(frozen=True, slots=True)
class Column:
    """Some rows of one column."""

    values: Floats
    """NaN where there is no number."""
    words: Flags | None = None
    """Where there is something, and it is no number; None for nowhere."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, in its order."""

    columns: dict[str, Column]
    """The features by name, and the outcome where it is wanted."""
    ids: pa.Array | None
    """What tells them apart, as it stands in the file; None when that is their order alone."""
    bytes: int
    """Of the file, about."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values)


def row_numbers(rows: Rows) -> Floats | None:
    """The ids as numbers; None when there are none, or one of them is no number."""
    if rows.ids is None or rows.ids.null_count:
        return None
    try:
        numbers: Floats = pc.cast(rows.ids, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if np.isnan(numbers).any() else numbers


Fault = tuple[str, str, Flags]
"""A column's name, what is wrong in it and in which rows."""


def faults(rows: Rows) -> Iterator[Fault]:
    """All that is wrong."""
    for name, column in rows.columns.items():
        values = column.values
        # What nearly every column of nearly every table is.
        if name != TARGET and ((values >= 0) & (values < np.inf)).all():
            continue
        words = np.zeros(len(values), np.bool_) if column.words is None else column.words
        wrong = _of_outcome(values, words) if name == TARGET else _of_feature(values, words)
        if name not in NULLABLE:
            wrong[MISSING] = np.isnan(values) & ~words
        yield from ((name, complaint, where) for complaint, where in wrong.items() if where.any())


def _of_feature(values: Floats, words: Flags) -> dict[str, Flags]:
    infinite = np.isinf(values)
    return {WORD: words, INFINITE: infinite, NEGATIVE: (values < 0) & ~infinite}


def _of_outcome(values: Floats, words: Flags) -> dict[str, Flags]:
    return {NO_OUTCOME: words | ~((values == 0) | (values == 1) | np.isnan(values))}


class Complaints:
    """Collects what is wrong with a table, and says it without any value of an applicant."""

    def __init__(self, unit: str) -> None:
        """unit: what the places are, "line" or "row"."""
        self._unit = unit
        self._found: dict[tuple[str, str], tuple[list[int], int]] = {}

    def about_rows(self, rows: Rows, places: Integers) -> None:
        """All that is wrong in rows that are at those places."""
        for name, complaint, where in faults(rows):
            self.add(name, complaint, places[where])

    def add(self, column: str, complaint: str, places: Integers) -> None:
        """About a column at those places; or without a column about what these places have."""
        shown, count = self._found.get((column, complaint), ([], 0))
        shown = [*shown, *places[: PLACES_SHOWN - len(shown)].tolist()]
        self._found[column, complaint] = shown, count + len(places)

    def sentence(self) -> str:
        """Empty when nothing is wrong."""
        parts = []
        for (column, complaint), (shown, count) in self._found.items():
            places = ", ".join(map(str, shown)) + (", …" if count > len(shown) else "")
            if column:
                where = f"{self._unit} {places}" if count == 1 else f"{count} {self._unit}s: {places}"
                parts.append(f"column {column} {complaint} in {where}")
            else:
                where = f"{self._unit} {places} has" if count == 1 else f"{count} {self._unit}s ({places}) have"
                parts.append(f"{where} {complaint}")
        said = {complaint for _, complaint in self._found}
        return "; ".join([*parts, *(remedy for complaint, remedy in ALLOWED.items() if complaint in said)])


class Table(Protocol):
    """A file or a table in memory whose columns are what they have to be."""

    unit: str
    """What a place in it is called, "line" or "row"."""

    def rows(self) -> Iterator[Rows]:
        """A chunk at a time."""

    def explain(self, complaints: Complaints) -> None:
        """Add all that is wrong."""


def explanation(table: Table) -> str:
    """All that is wrong with a table in one sentence, empty for nothing. Reads the whole of it."""
    complaints = Complaints(table.unit)
    table.explain(complaints)
    return complaints.sentence()
