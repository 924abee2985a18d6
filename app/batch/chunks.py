"""From a CSV or Parquet file to wire vectors, a chunk at a time, or the first row and column that are wrong."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types
from pyarrow.csv import ConvertOptions, ReadOptions, open_csv

from app.batch.files import Input
from app.errors import DataInvalid
from app.features import FEATURES, MISSING_CELLS, NAMELESS, NULLABLE, POSITIONS

CHUNK_ROWS = 1 << 16
CSV_BLOCK_BYTES = 1 << 20
"""The library holds some twenty of them that it has read ahead."""

MOST_HEADER_BYTES = 1 << 16

MAY_MISS = np.array([name in NULLABLE for name in FEATURES])

Floats = npt.NDArray[np.float64]


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
    takes it. Raises DataInvalid with the file, the row (from 1) and the column.
    """
    first_row = 1
    batches = _parquet(file, id_column) if file.parquet else _csv(file, id_column)
    try:
        for batch, own_id, size in batches:
            rows = np.empty((len(batch), len(POSITIONS)))
            numbers = np.arange(first_row, first_row + len(batch))
            for at, name in enumerate(FEATURES, start=1):
                rows[:, at] = _numbers(batch.column(name), name)
            _refuse_bad(batch, rows[:, 1:], first_row, from_text=not file.parquet)
            ids = pa.array(numbers) if own_id is None else batch.column(own_id)
            rows[:, 0] = _float64(ids) if numbered and own_id in NAMELESS else numbers
            yield Chunk(ids, rows, size)
            first_row += len(batch)
    except DataInvalid as error:
        raise DataInvalid(f"{file.name}: {error}") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataInvalid(f"{file.name} is not a table that can be read: {' '.join(str(error).split())}") from error
    if first_row == 1:
        raise DataInvalid(f"{file.name} has no rows")


Batch = tuple[pa.RecordBatch, str | None, int]


def _parquet(file: Input, id_column: str | None) -> Iterator[Batch]:
    with file.filesystem.open_input_file(file.path) as source:
        table = pq.ParquetFile(source)
        own_id = _id_of(table.schema_arrow.names, id_column)
        columns = [*FEATURES] if own_id is None else [own_id, *FEATURES]
        for batch in table.iter_batches(CHUNK_ROWS, columns=columns, use_threads=False):
            yield batch, own_id, file.size * len(batch) // table.metadata.num_rows


def _csv(file: Input, id_column: str | None) -> Iterator[Batch]:
    with file.filesystem.open_input_stream(file.path) as source:
        line = source.read(MOST_HEADER_BYTES).partition(b"\n")[0].decode("utf-8-sig")
    names = next(csv.reader([line]), [])
    own_id = _id_of(names, id_column)
    # An id is text, because what the first block's look like says nothing about the last one's.
    kinds = dict.fromkeys(FEATURES, pa.float64()) | ({} if own_id is None else {own_id: pa.string()})
    converting = ConvertOptions(
        column_types=kinds, include_columns=list(kinds), null_values=list(MISSING_CELLS), strings_can_be_null=True
    )
    reading = ReadOptions(block_size=CSV_BLOCK_BYTES, use_threads=False)
    try:
        with file.filesystem.open_input_file(file.path) as source:
            before = 0
            for batch in open_csv(source, reading, convert_options=converting):
                yield batch, own_id, source.tell() - before
                before = source.tell()
    except pa.ArrowInvalid as error:
        # The library's own words would repeat the value, which is an applicant's.
        if found := re.search(r"CSV column #(\d+): Row #(\d+): CSV conversion error", str(error)):
            raise DataInvalid(f"column {names[int(found[1])]} is not a number in row {int(found[2]) - 1}") from None
        if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error)):
            raise DataInvalid(f"row {int(found[1]) - 1} has {found[3]} cells; the first line has {found[2]}") from None
        raise


def _id_of(names: list[str], id_column: str | None) -> str | None:
    for name in (*FEATURES, *([] if id_column is None else [id_column])):
        if names.count(name) != 1:
            raise DataInvalid(f"column {name} is {'there twice' if name in names else 'not there'}")
    return id_column if id_column is not None else next((name for name in names[:1] if name in NAMELESS), None)


def _numbers(column: pa.Array, name: str) -> Floats:
    kind = column.type
    # All of a column's values may be missing, which leaves it without a kind.
    if not any(is_kind(kind) for is_kind in (types.is_floating, types.is_integer, types.is_decimal, types.is_null)):
        raise DataInvalid(f"column {name} holds {kind}, not numbers")
    return _float64(column)


def _float64(column: pa.Array) -> Floats:
    numbers: Floats = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _refuse_bad(batch: pa.RecordBatch, features: Floats, first_row: int, from_text: bool) -> None:
    missing = np.isnan(features)
    bad = ~np.isfinite(features) & ~(missing & MAY_MISS)
    if from_text:
        # The word nan is no missing cell: it is a wrong value, as in training.
        for at, name in enumerate(FEATURES):
            if batch.column(name).null_count != missing[:, at].sum():
                bad[:, at] |= missing[:, at] & batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    if not bad.any():
        return
    row, at = np.argwhere(bad)[0].tolist()
    name = FEATURES[at]
    if np.isinf(features[row, at]):
        complaint = "is infinite"
    else:
        complaint = "is not a number" if from_text and batch.column(name)[row].is_valid else "is missing"
    raise DataInvalid(f"column {name} {complaint} in row {first_row + row}")
