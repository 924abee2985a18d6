"""From a file of applicants to wire vectors, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from app.errors import DataInvalid
from app.features import FEATURES, NAMELESS, POSITIONS
from app.tables.checked import read
from app.tables.find import Input
from app.tables.rules import Floats, row_numbers
from app.tables.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, in its order."""

    ids: pa.Array
    rows: Floats
    """Eleven wire values each, NaN where one is missing."""
    bytes: int
    """Of the file, about."""


def read_chunks(file: Input, id_column: str | None, numbered: bool) -> Iterator[Chunk]:
    """The rows of a file whose columns may be in any order; those that are no feature are passed over.

    id_column: what tells the rows apart in the output; None for the file's nameless first column, or where it has none
    the rows' numbers from 1 on. numbered: whether position 0 has to be the nameless column's number, for a model that
    takes it. Raises DataInvalid with the file, the columns and the lines that are wrong.
    """
    first = 1
    for found in read(file, Wanted(id_column=id_column)):
        rows = np.empty((len(found), len(POSITIONS)))
        counted = np.arange(first, first + len(found))
        rows[:, 0] = counted
        if numbered and found.ids is not None and id_column in (None, *NAMELESS):
            own = row_numbers(found)
            if own is None:
                raise DataInvalid(f"{file.name}: the nameless first column is not all numbers, and this model takes it")
            rows[:, 0] = own
        for at, name in enumerate(FEATURES, start=1):
            rows[:, at] = found.columns[name].values
        yield Chunk(pa.array(counted) if found.ids is None else found.ids, rows, found.bytes)
        first += len(found)
