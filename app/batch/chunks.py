"""From a file of applicants to wire vectors, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from app.contract.contract import Contract
from app.errors import DataInvalid
from app.tables.checked import read
from app.tables.find import Input
from app.tables.rules import Floats, row_numbers
from app.tables.wanted import NAMELESS, Wanted


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, in its order."""

    ids: pa.Array
    rows: Floats
    """One wire vector each, NaN where a value is missing."""
    bytes: int
    """Of the file, about."""


def read_chunks(file: Input, contract: Contract, id_column: str | None, numbered: bool) -> Iterator[Chunk]:
    """The rows of a file whose columns may be in any order; those that are no asked field are passed over.

    id_column: what tells the rows apart in the output; None for the file's nameless first column, or where it has none
    the rows' numbers from 1 on. numbered: whether ignored fields have to be the nameless column's number, for a model
    that takes it. Raises DataInvalid with the file, the columns and the lines that are wrong.
    """
    first = 1
    for found in read(file, Wanted(contract, id_column=id_column)):
        rows = np.empty((len(found), len(contract.fields)))
        counted = np.arange(first, first + len(found))
        rows[:] = counted[:, None]
        if numbered and found.ids is not None and id_column in (None, *NAMELESS):
            own = row_numbers(found)
            if own is None:
                raise DataInvalid(f"{file.name}: the nameless first column is not all numbers, and this model takes it")
            rows[:] = own[:, None]
        for at, name in zip(contract.asked_positions, contract.asked_names, strict=True):
            rows[:, at] = found.columns[name].values
        yield Chunk(pa.array(counted) if found.ids is None else found.ids, rows, found.bytes)
        first += len(found)
