"""Tables as text: one line a row, cells between separators."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, open_csv

from app.errors import DataInvalid
from app.tables.find import Input
from app.tables.formats import UTF_8, Text, unpacked
from app.tables.rules import Column, Complaints, Rows, coded, explanation
from app.tables.wanted import Wanted, id_of

if TYPE_CHECKING:
    import _csv

MISSING_CELLS = ("", "NA")
"""What a cell holds when its value is missing; any other word is a wrong value, not a missing one."""

BLOCK_BYTES = 1 << 20
"""The library holds some twenty of them that it has read ahead."""

EXPLAINED_ROWS = 1 << 11
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
UNCLOSED = "perhaps a quotation mark is not closed"
UNEXPLAINED = f"it is not a table that can be read; {UNCLOSED}"
SEPARATORS = ",;\t|"
NUMBER = re.compile(r"[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?)[ \t]*", re.IGNORECASE)
"""What the library takes for a number, but for the word nan."""

Record = tuple[int, list[str]]
"""The number of its first line, and its cells."""


class Lines:
    """The rows of a file of lines."""

    unit = "line"

    def __init__(self, file: Input, text: Text, wanted: Wanted) -> None:
        """Raises DataInvalid when the first line does not name the columns."""
        self._file = file
        self._encoding = text.encoding
        self.wanted = wanted
        headers = {separator: _first_record(text.head, separator) for separator in SEPARATORS}
        # The one that makes most of the first line known; the comma where none does.
        self._separator = max(SEPARATORS, key=lambda it: len(set(headers[it]) & set(wanted.contract.asked_names)))
        self._names = headers[self._separator]
        self._id = id_of(self._names, wanted)

    def rows(self) -> Iterator[Rows]:
        """A chunk at a time. Raises DataInvalid with all that is wrong where a cell or a line cannot be read."""
        # An id is text, because what the first block's look like says nothing about the last one's.
        kinds = {name: self._kind(name) for name in self.wanted.names} | dict.fromkeys(self.wanted.groups, pa.string())
        kinds |= {} if self._id is None else {self._id: pa.string()}
        converting = ConvertOptions(
            column_types=kinds, include_columns=list(kinds), null_values=list(MISSING_CELLS), strings_can_be_null=True
        )
        reading = ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
        # Without newlines_in_values a cell of two lines is read, or not, by where a block happens to end.
        parsing = ParseOptions(delimiter=self._separator, newlines_in_values=True)
        try:
            with unpacked(self._file) as (raw, stream):
                recoded = self._encoding != UTF_8
                source = pa.transcoding_input_stream(stream, self._encoding, "utf-8") if recoded else stream
                before = 0
                with open_csv(source, reading, parsing, converting) as batches:
                    for batch in batches:
                        columns = {
                            name: _column(batch.column(name), self.wanted.texts(name)) for name in self.wanted.names
                        }
                        groups = {name: batch.column(name) for name in self.wanted.groups}
                        ids = None if self._id is None else batch.column(self._id)
                        done = raw.tell()
                        yield Rows(columns, ids, done - before, groups)
                        before = done
        except pa.ArrowInvalid:
            # The library's own words would repeat the cell, which is an applicant's.
            raise DataInvalid(explanation(self) or UNEXPLAINED) from None

    def explain(self, complaints: Complaints) -> None:
        """All that is wrong, by the numbers of the lines; slowly, over the whole file."""
        at = {name: self._names.index(name) for name in self.wanted.names}
        with unpacked(self._file) as (_, stream):
            # Columns that are not read may be in any encoding.
            text = TextIOWrapper(stream, self._encoding, "replace", newline="")
            records = _records(csv.reader(text, delimiter=self._separator), complaints)
            next(records, None)
            whole = self._whole(records, complaints)
            while some := list(islice(whole, EXPLAINED_ROWS)):
                lines = np.array([line for line, _ in some])
                cells = list(zip(*(cells for _, cells in some), strict=True))
                columns = {name: _carefully(cells[index], self.wanted.texts(name)) for name, index in at.items()}
                complaints.about_rows(Rows(columns, None, 0), lines)
                if self._id is not None:
                    broken = np.array([UNREADABLE in cell for cell in cells[self._names.index(self._id)]])
                    if broken.any():
                        complaints.add(self._id or "(nameless)", "is not in UTF-8", lines[broken])

    def _kind(self, name: str) -> pa.DataType:
        return pa.float64() if self.wanted.texts(name) is None else pa.string()

    def _whole(self, records: Iterator[Record], complaints: Complaints) -> Iterator[Record]:
        """Those with as many cells as the first line."""
        expected = len(self._names)
        for line, cells in records:
            if len(cells) == expected:
                yield line, cells
            else:
                complaints.add("", f"{len(cells)} cells; the first line has {expected}", np.array([line]))


def _first_record(head: str, separator: str) -> list[str]:
    return next((cells for cells in csv.reader(StringIO(head, newline=""), delimiter=separator) if cells), [])


def _records(reader: "_csv.Reader", complaints: Complaints) -> Iterator[Record]:
    """Those that are not empty, each with the number of its first line."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            complaints.add("", f"a cell without an end; {UNCLOSED}", np.array([line]))
            return
        if cells is None:
            return
        if cells:
            yield line, cells


def _column(cells: pa.Array, texts: Sequence[str] | None) -> Column:
    if texts is not None:
        return coded(cells, texts)
    values = cells.to_numpy(zero_copy_only=False)
    # The word nan is no missing cell.
    if cells.null_count == np.isnan(values).sum():
        return Column(values)
    return Column(values, np.isnan(values) & cells.is_valid().to_numpy(zero_copy_only=False))


def _carefully(cells: tuple[str, ...], texts: Sequence[str] | None) -> Column:
    """As the library reads them, which gives up at the first one that is no number."""
    text = pa.array(cells, pa.string())
    present = pc.if_else(pc.is_in(text, pa.array(MISSING_CELLS)), None, text)
    if texts is not None:
        return coded(present, texts)
    try:
        return _column(pc.cast(present, pa.float64()), None)
    except pa.ArrowInvalid:
        are_numbers = [NUMBER.fullmatch(cell) is not None for cell in cells]
    values = [float(cell) if is_number else np.nan for cell, is_number in zip(cells, are_numbers, strict=True)]
    words = [not is_number and cell not in MISSING_CELLS for cell, is_number in zip(cells, are_numbers, strict=True)]
    return Column(np.array(values), np.array(words))
