"""Tables whose columns have types: Parquet files, and tables in memory."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from app.errors import DataInvalid
from app.tables.find import Input
from app.tables.rules import Column, Complaints, Floats, Rows, coded
from app.tables.wanted import Wanted, id_of

CHUNK_ROWS = 1 << 16


class Typed:
    """The rows of a table in memory."""

    unit = "row"

    def __init__(self, table: pa.Table, wanted: Wanted) -> None:
        """Raises DataInvalid when the columns are not what they have to be."""
        self._table = table
        self.wanted = wanted
        self._id = _id_of(table.schema, wanted)

    def rows(self) -> Iterator[Rows]:
        """A chunk at a time."""
        return _rows(self._table.to_batches(CHUNK_ROWS), self.wanted, self._id, 0.0)

    def explain(self, complaints: Complaints) -> None:
        """All that is wrong, by the rows' numbers from 1 on."""
        _explain(self.rows(), complaints)


class Parquet:
    """The rows of a Parquet file."""

    unit = "row"

    def __init__(self, file: Input, wanted: Wanted) -> None:
        """Raises DataInvalid when the columns are not what they have to be."""
        self._file = file
        self.wanted = wanted
        with file.filesystem.open_input_file(file.path) as source:
            table = pq.ParquetFile(source)
            self._id = _id_of(table.schema_arrow, wanted)
            self._count = table.metadata.num_rows

    def rows(self) -> Iterator[Rows]:
        """A chunk at a time."""
        columns = [*self.wanted.names, *self.wanted.groups, *([] if self._id is None else [self._id])]
        with self._file.filesystem.open_input_file(self._file.path) as source:
            batches = pq.ParquetFile(source).iter_batches(CHUNK_ROWS, columns=columns, use_threads=False)
            yield from _rows(batches, self.wanted, self._id, self._file.size / max(self._count, 1))

    def explain(self, complaints: Complaints) -> None:
        """All that is wrong, by the rows' numbers from 1 on."""
        _explain(self.rows(), complaints)


def _id_of(schema: pa.Schema, wanted: Wanted) -> str | None:
    """Raises DataInvalid also when a column is of a type that is no number."""
    # Pandas writes its index beside the columns, and says so.
    index = [it for it in (schema.pandas_metadata or {}).get("index_columns", []) if isinstance(it, str)]
    own = id_of(schema.names, wanted, index)
    wrong = []
    for name in wanted.names:
        kind = schema.field(name).type
        if wanted.texts(name) is None and not _is_number(kind):
            wrong.append(f"column {name} holds {kind}, not numbers")
        elif wanted.texts(name) is not None and not _is_text(kind):
            wrong.append(f"column {name} holds {kind}, not texts")
    if wrong:
        raise DataInvalid("; ".join(wrong))
    return own


def _is_number(kind: pa.DataType) -> bool:
    # All of a column's values may be missing, which leaves it without a type.
    numbers = (types.is_floating, types.is_integer, types.is_decimal, types.is_null)
    return any(is_kind(kind) for is_kind in numbers)


def _is_text(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_integer, types.is_boolean)
    return types.is_null(kind) or any(is_kind(kind) for is_kind in texts)


def _rows(batches: Iterable[pa.RecordBatch], wanted: Wanted, own_id: str | None, row_bytes: float) -> Iterator[Rows]:
    for batch in batches:
        columns = {name: _column(batch.column(name), wanted.texts(name)) for name in wanted.names}
        groups = {name: pc.cast(batch.column(name), pa.string()) for name in wanted.groups}
        yield Rows(columns, None if own_id is None else batch.column(own_id), int(row_bytes * len(batch)), groups)


def _column(column: pa.Array, texts: Sequence[str] | None) -> Column:
    return Column(_float64(column)) if texts is None else coded(pc.cast(column, pa.string()), texts)


def _float64(column: pa.Array) -> Floats:
    numbers: Floats = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _explain(chunks: Iterable[Rows], complaints: Complaints) -> None:
    first = 1
    for rows in chunks:
        complaints.about_rows(rows, np.arange(first, first + len(rows)))
        first += len(rows)
