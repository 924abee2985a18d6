"""What every row has to hold, whoever reads it, and the sentences about those that do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from app.contract.fields import Field
from app.tables.wanted import Wanted

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PLACES_SHOWN = 5
VALUES_SHOWN = 10

WORD, MISSING, INFINITE, BROKEN = "is not a number", "is missing", "is infinite", "is not a whole number"


@dataclass(frozen=True, slots=True)
class Column:
    """Some rows of one column."""

    values: Floats
    """NaN where there is no number."""
    words: Flags | None = None
    """Where there is something, and it is no number or none of the column's texts; None for nowhere."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, in its order."""

    columns: dict[str, Column]
    """The asked fields by name, and the outcome where it is wanted."""
    ids: pa.Array | None
    """What tells them apart, as it stands in the file; None when that is their order alone."""
    bytes: int
    """Of the file, about."""
    groups: dict[str, pa.Array] = field(default_factory=dict)
    """Texts, by the names of their columns."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values)


def coded(texts: pa.Array, known: Sequence[str]) -> Column:
    """Texts as their places among the known ones, from 0; null is missing, and any other text is a word."""
    trimmed = pc.utf8_trim_whitespace(texts)
    codes = pc.index_in(trimmed, pa.array(known, pa.string()))
    values = pc.cast(codes, pa.float64()).to_numpy(zero_copy_only=False)
    words = pc.and_(pc.is_null(codes), pc.is_valid(texts)).to_numpy(zero_copy_only=False)
    return Column(values, words if words.any() else None)


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


def faults(rows: Rows, wanted: Wanted) -> Iterator[Fault]:
    """All that is wrong."""
    asked = {each.name: each for each in wanted.contract.asked}
    for name, column in rows.columns.items():
        values = column.values
        words = np.zeros(len(values), np.bool_) if column.words is None else column.words
        wrong = _of_field(asked[name], values, words) if name in asked else _of_outcome(wanted, values, words)
        yield from ((name, complaint, where) for complaint, where in wrong.items() if where.any())


def _of_field(asked: Field, values: Floats, words: Flags) -> dict[str, Flags]:
    missing = {} if asked.nullable else {MISSING: np.isnan(values) & ~words}
    if asked.type == "category":
        return {_none_of(asked.values): words} | missing
    low, high = asked.minimum, asked.maximum
    # What nearly every column of nearly every table is.
    if low is not None and high is None and asked.type == "number" and ((values >= low) & (values < np.inf)).all():
        return {}
    infinite = np.isinf(values)
    wrong = {WORD: words, INFINITE: infinite}
    if low is not None:
        wrong["is negative" if low == 0 else f"is below {low:g}"] = (values < low) & ~infinite
    if high is not None:
        wrong[f"is above {high:g}"] = (values > high) & ~infinite
    if asked.type == "integer":
        wrong[BROKEN] = (values % 1 != 0) & ~np.isnan(values) & ~infinite
    return wrong | missing


def _of_outcome(wanted: Wanted, values: Floats, words: Flags) -> dict[str, Flags]:
    outcome = wanted.contract.outcome
    known = np.isnan(values) | (values == 0) | (values == 1)
    return {f"is not {outcome.good} or {outcome.bad}": words | ~known, MISSING: np.isnan(values) & ~words}


def _none_of(values: Sequence[str]) -> str:
    more = ", …" if len(values) > VALUES_SHOWN else ""
    return f"is none of {', '.join(values[:VALUES_SHOWN])}{more}"


class Complaints:
    """Collects what is wrong with a table, and says it without any value of an applicant."""

    def __init__(self, unit: str, wanted: Wanted) -> None:
        """unit: what the places are, "line" or "row"."""
        self._unit = unit
        self._wanted = wanted
        self._found: dict[tuple[str, str], tuple[list[int], int]] = {}

    def about_rows(self, rows: Rows, places: Integers) -> None:
        """All that is wrong in rows that are at those places."""
        for name, complaint, where in faults(rows, self._wanted):
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
        return "; ".join([*parts, *(remedy for complaint, remedy in self._remedies() if complaint in said)])

    def _remedies(self) -> Iterator[tuple[str, str]]:
        yield WORD, "a number is written like 1234.5, a missing value as an empty cell or NA"
        nullable = " and ".join(sorted(self._wanted.contract.nullable))
        yield MISSING, f"only {nullable} may be missing" if nullable else "no field may be missing"


class Table(Protocol):
    """A file or a table in memory whose columns are what they have to be."""

    unit: str
    """What a place in it is called, "line" or "row"."""
    wanted: Wanted

    def rows(self) -> Iterator[Rows]:
        """A chunk at a time."""

    def explain(self, complaints: Complaints) -> None:
        """Add all that is wrong."""


def explanation(table: Table) -> str:
    """All that is wrong with a table in one sentence, empty for nothing. Reads the whole of it."""
    complaints = Complaints(table.unit, table.wanted)
    table.explain(complaints)
    return complaints.sentence()
