"""From a file to rows without a fault, a chunk at a time, or to the sentence that says all that is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile
from zlib import error as ZlibError

import pyarrow as pa

from app.errors import DataInvalid
from app.tables.find import Input, one_line
from app.tables.formats import text_of
from app.tables.rules import Rows, Table, explanation, faults
from app.tables.text import Lines
from app.tables.typed import Parquet, Typed
from app.tables.wanted import Wanted


def read(file: Input, wanted: Wanted) -> Iterator[Rows]:
    """The rows of a CSV or Parquet file, whose columns may be in any order.

    What the file is its content says: text in UTF-8, or with a byte order mark in UTF-16 or UTF-32, its cells between
    commas, semicolons, tabs or bars, packed by gzip, bzip2, zstd or zip or not at all; or Parquet. Raises DataInvalid
    with the file's name, the columns and the lines (in Parquet the rows) that are wrong, and what is allowed there.
    """
    with _named(file.name):
        text = text_of(file)
        yield from _checked(Parquet(file, wanted) if text is None else Lines(file, text, wanted))


def read_table(table: pa.Table, name: str, wanted: Wanted) -> Iterator[Rows]:
    """The rows of a table in memory, under the same rules. Raises DataInvalid with that name and the rows."""
    with _named(name):
        yield from _checked(Typed(table, wanted))


CHANGED = "it has a fault that is not there when it is read again: let nobody write to it meanwhile"


def _checked(table: Table) -> Iterator[Rows]:
    empty = True
    for rows in table.rows():
        if next(faults(rows, table.wanted), None) is not None:
            raise DataInvalid(explanation(table) or CHANGED)
        empty = empty and len(rows) == 0
        yield rows
    if empty:
        raise DataInvalid("it has the right columns and has no rows")


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Every failure of reading becomes a sentence that begins with the name."""
    try:
        yield
    except DataInvalid as error:
        raise DataInvalid(f"{name}: {error}") from error
    except (pa.ArrowInvalid, UnicodeError, BadZipFile, ZlibError, EOFError) as error:
        raise DataInvalid(f"{name}: it is not a table that can be read: {one_line(error)}") from error
    except (pa.ArrowException, OSError) as error:
        raise DataInvalid(f"{name}: it cannot be read: {one_line(error)}") from error
