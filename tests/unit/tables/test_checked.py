"""Files as they are found: what training and batch scoring say to each, which has to be the same."""

import bz2
import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from app.batch.chunks import read_chunks
from app.errors import DataInvalid
from app.settings import Settings, TrainSettings
from app.tables import text
from app.tables.find import find
from app.training.data import load
from harness.fields import CONTRACT, FEATURES, TARGET

NAMES = ["", TARGET, *FEATURES]
CELLS = [
    ["1", "1", "0.766126609", "45", "2", "0.802982129", "9120", "13", "0", "6", "0", "2"],
    ["2", "0", "0.957151019", "40", "0", "0.121876201", "", "4", "0", "0", "0", "1"],
    ["3", "0", "0.65818014", "38", "1", "0.085113375", "3042", "2", "1", "0", "0", "NA"],
    ["4", "0", "0.1", "30", "0", "1e-3", "3300", "5", "0", "0", "0", "0"],
    ["5", "1", "0.9999999", "98", "98", "5710", "NA", "8", "98", "0", "98", ""],
]
AGE = NAMES.index("age")
INCOME = NAMES.index("MonthlyIncome")
OUTCOME = NAMES.index(TARGET)

NO_NUMBER = "a number is written like 1234.5, a missing value as an empty cell or NA"
NOT_MISSING = "only MonthlyIncome and NumberOfDependents may be missing"
NAMELESS_TABLE = (
    "the first line holds none of the columns' names; column RevolvingUtilizationOfUnsecuredLines is not there; …"
)


def lines(
    names: list[str] = NAMES, cells: list[list[str]] = CELLS, separator: str = ",", end: str = "\n", last: str = "\n"
) -> str:
    return end.join(separator.join(row) for row in [names, *cells]) + last


def with_cell(row: int, column: int, cell: str) -> str:
    """The table with one cell replaced; row from 0."""
    return lines(cells=[[*it[:column], cell, *it[column + 1 :]] if at == row else it for at, it in enumerate(CELLS)])


def with_column(column: int, *cells: str) -> str:
    """The table with the first cells of one column replaced."""
    replaced = [*cells, *(row[column] for row in CELLS[len(cells) :])]
    return lines(cells=[[*it[:column], cell, *it[column + 1 :]] for it, cell in zip(CELLS, replaced, strict=True)])


def quoted(rows: list[list[str]]) -> list[list[str]]:
    return [[f'"{cell}"' for cell in row] for row in rows]


def zipped(*names: str, content: str = lines()) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


def locked() -> bytes:
    """A zip archive whose entry says that it has a password."""
    content = bytearray(zipped("a.csv"))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


def zstd(content: str) -> bytes:
    return bytes(pa.Codec("zstd").compress(content.encode(), asbytes=True))


def columns() -> dict[str, list[float | None]]:
    return {
        name: [None if row[at] in ("", "NA") else float(row[at]) for row in CELLS]
        for at, name in enumerate(NAMES)
        if name
    }


def parquet(**changed: pa.Array) -> bytes:
    content = BytesIO()
    pq.write_table(pa.table({**{name: pa.array(it) for name, it in columns().items()}, **changed}), content)
    return content.getvalue()


def arrow() -> bytes:
    content = BytesIO()
    feather.write_feather(pa.table(columns()), content)
    return content.getvalue()


def indexed(name: str | None) -> bytes:
    """As pandas writes a table with an index that is no count."""
    frame = pd.DataFrame(columns()).set_index(pd.Index(list("abcde"), name=name))
    return frame.to_parquet()


def words(*values: object) -> pa.Array:
    return pa.array([*values] * len(CELLS))


@dataclass(frozen=True)
class File:
    """One kind of file, and what is said to it."""

    kind: str
    content: str | bytes
    said: str = ""
    """Empty for read."""
    in_batch: str | None = None
    """Where batch scoring, which needs no outcome and passes other columns over, says something else."""
    name: str = "a.csv"


READ = [
    File("plain", lines()),
    File("no line end at the end", lines(last="")),
    File("CRLF", lines(end="\r\n", last="\r\n")),
    File("bare CR", lines(end="\r", last="\r")),
    File("byte order mark", b"\xef\xbb\xbf" + lines().encode()),
    File("UTF-16 little endian", lines().encode("utf-16")),
    File("UTF-16 big endian", b"\xfe\xff" + lines(end="\r\n").encode("utf-16-be")),
    File("UTF-32", lines().encode("utf-32")),
    File("tabs", lines(separator="\t"), name="a.tsv"),
    File("semicolons", lines(separator=";")),
    File("bars", lines(separator="|"), name="a.txt"),
    File("all quoted", lines(quoted([NAMES])[0], quoted(CELLS))),
    File("spaces around numbers", with_cell(0, AGE, " 45 ")),
    File("trailing blank lines", lines() + "\n\r\n\n"),
    File("blank lines at the start", "\n\n" + lines()),
    File("floats for whole numbers", with_cell(0, AGE, "45.0")),
    File("outcome as 1.0", with_column(OUTCOME, "1.0", "0.0")),
    File("exponents", with_cell(0, AGE, "4.5e+1")),
    File("plus sign", with_cell(0, AGE, "+45")),
    File("gzip", gzip.compress(lines().encode()), name="a.csv.gz"),
    File("gzip in two parts", gzip.compress(lines().encode()[:99]) + gzip.compress(lines().encode()[99:])),
    File("gzip of UTF-16", gzip.compress(lines().encode("utf-16")), name="A.CSV.GZ"),
    File("bzip2", bz2.compress(lines().encode()), name="a.csv.bz2"),
    File("zstd", zstd(lines()), name="a.csv.zst"),
    File("zip", zipped("a.csv"), name="a.zip"),
    File("zip from a Mac", zipped("a/", "a/a.csv", "__MACOSX/a/._a.csv"), name="a.ZIP"),
    File("upper-case ending", lines(), name="A.CSV"),
    File("no ending", lines(), name="a"),
    File("Parquet", parquet(), name="a.parquet"),
    File("Parquet as .parq", parquet(), name="a.PARQ"),
    File("Parquet called CSV", parquet()),
    File("Parquet, decimals", parquet(age=pa.array([Decimal(row[AGE]) for row in CELLS])), name="a.parquet"),
    File("Parquet, floats of 32 bits", parquet(age=pa.array([45, 40, 38, 30, 98], pa.float32())), name="a.parquet"),
    File("Parquet, index without a name", indexed(None), name="a.parquet"),
    File("Parquet, index with a name", indexed("customer"), name="a.parquet"),
]

REFUSED = [
    File("empty", "", f"it is empty; column {FEATURES[0]} is not there; …"),
    File("only a header", lines(cells=[]), "it has the right columns and has no rows"),
    File("no header", lines(names=CELLS[0]), NAMELESS_TABLE),
    File("a line before the header", "sep=;\n" + lines(separator=";"), NAMELESS_TABLE),
    File(
        "missing column",
        lines([*NAMES[:AGE], *NAMES[AGE + 1 :]], [[*row[:AGE], *row[AGE + 1 :]] for row in CELLS]),
        "column age is not there",
    ),
    File("column twice", lines([*NAMES, "age"], [[*row, "1"] for row in CELLS]), "column age is there twice"),
    File(
        "another column",
        lines([*NAMES, "id"], [[*row, "x"] for row in CELLS]),
        f"column id is not known; expected {TARGET} and the 10 fields",
        in_batch="",
    ),
    File(
        "index column with a name",
        lines(["index", *NAMES[1:]]),
        f"column index is not known; expected {TARGET} and the 10 fields",
        in_batch="",
    ),
    File("no outcome", lines(NAMES[2:], [row[2:] for row in CELLS]), f"column {TARGET} is not there", in_batch=""),
    File(
        "short row",
        lines(cells=[*CELLS, ["6", "1"]]),
        "line 7 has 2 cells; the first line has 12",
    ),
    File(
        "long row",
        lines(cells=[[*CELLS[0], "9"], *CELLS[1:]]),
        "line 2 has 13 cells; the first line has 12",
    ),
    File(
        "shifted rows",
        lines(names=NAMES[1:]),
        "5 lines (2, 3, 4, 5, 6) have 12 cells; the first line has 11",
    ),
    File("line of spaces", lines() + "  \n", "line 7 has 1 cells; the first line has 12"),
    File(
        "quotation mark without an end",
        with_cell(1, AGE, '"40'),
        "line 3 has 4 cells; the first line has 12",
    ),
    File(
        "two faults after a cell of two lines",
        with_column(AGE, '"4\n5"', "forty", "-38"),
        f"column age is not a number in 2 lines: 2, 4; column age is negative in line 5; {NO_NUMBER}",
    ),
    *(
        File(
            f"{word} for missing",
            with_cell(1, INCOME, word),
            f"column MonthlyIncome is not a number in line 3; {NO_NUMBER}",
        )
        for word in ("nan", "NaN", "null", "-", "?", "None", "N/A", "#N/A", " NA")
    ),
    File("age missing", with_cell(1, AGE, ""), f"column age is missing in line 3; {NOT_MISSING}"),
    File("age missing, quoted", with_cell(1, AGE, '""'), f"column age is missing in line 3; {NOT_MISSING}"),
    File("infinite", with_cell(0, INCOME, "-inf"), "column MonthlyIncome is infinite in line 2"),
    File("beyond a double", with_cell(0, INCOME, "1e999"), "column MonthlyIncome is infinite in line 2"),
    File("income of -1", with_cell(0, INCOME, "-1"), "column MonthlyIncome is negative in line 2"),
    File(
        "decimal commas",
        lines(separator=";").replace("0.", "0,"),
        f"column {FEATURES[0]} is not a number in 5 lines: 2, 3, 4, 5, 6; "
        f"column DebtRatio is not a number in 3 lines: 2, 3, 4; {NO_NUMBER}",
    ),
    File(
        "thousands separators",
        with_cell(0, INCOME, '"9,120"'),
        f"column MonthlyIncome is not a number in line 2; {NO_NUMBER}",
    ),
    File(
        "outcome as true", with_column(OUTCOME, "TRUE", "false"), f"column {TARGET} is not 0 or 1 in 2 lines: 2, 3", ""
    ),
    File("outcome as yes", with_cell(0, OUTCOME, "Yes"), f"column {TARGET} is not 0 or 1 in line 2", ""),
    File("outcome of 2", with_cell(0, OUTCOME, "2"), f"column {TARGET} is not 0 or 1 in line 2", ""),
    File("outcome missing", with_cell(0, OUTCOME, "NA"), f"column {TARGET} is missing in line 2; {NOT_MISSING}", ""),
    File(
        "one outcome",
        with_column(OUTCOME, "1", "1", "1", "1"),
        f"column {TARGET} is 1 in every row; a model needs both outcomes",
        "",
    ),
    File(
        "no income anywhere",
        with_column(INCOME, *[""] * len(CELLS)),
        "column MonthlyIncome has no value in any row",
        in_batch="",
    ),
    File(
        "UTF-16 without a mark",
        lines().encode("utf-16-le"),
        "it is no text: it holds zero bytes; UTF-16 is read when it begins with a byte order mark",
    ),
    File(
        "UTF-16 cut off",
        lines().encode("utf-16")[:-1],
        "it is not a table that can be read: 'utf-16-le' codec can't decode byte 0x0a…",
    ),
    File("gzip cut off", gzip.compress(lines().encode())[:-9], "it cannot be read: Truncated compressed stream"),
    File("zip of two", zipped("a.csv", "b.csv"), "it is a zip archive of 2 files; pack one table alone"),
    File("zip of none", zipped(), "it is an empty zip archive; pack one table in it"),
    File("zip with a password", locked(), "it is a zip archive with a password; unpack it"),
    File("zip cut off", zipped("a.csv")[:-30], "it is not a table that can be read: File is not a zip file"),
    File("packed twice", gzip.compress(gzip.compress(lines().encode())), "it is packed twice; unpack it once"),
    File(
        "Excel",
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        "it is an office document, such as an Excel workbook; save it as CSV or Parquet",
        name="a.xlsx",
    ),
    File(
        "old Excel",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
        "it is an Excel workbook; save it as CSV or Parquet",
        name="a.xls",
    ),
    File("xz", b"\xfd7zXZ\0" + bytes(99), "it is packed with xz; unpack it, or pack it with gzip, bzip2, zip or zstd"),
    File(
        "tar",
        gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar\0"),
        "it is a tar archive; unpack it and name the table in it",
        name="a.tar.gz",
    ),
    File("JSON", '[{"age": 45}]', "it is JSON; save it as CSV or Parquet", name="a.json"),
    File("web page", "<!DOCTYPE html>", "it is a web page or XML; download the file itself"),
    File(
        "Git LFS pointer",
        "version https://git-lfs.github.com/spec/v1\n",
        "it is a pointer to a file in Git LFS; fetch the file with git lfs pull",
    ),
    File("Feather", arrow(), "it is an Arrow or Feather file; save it as CSV or Parquet", name="a.feather"),
    File(
        "Parquet in gzip",
        gzip.compress(parquet()),
        "it is Parquet that was packed once more; unpack it, Parquet packs itself",
    ),
    File(
        "CSV called Parquet",
        lines(),
        "it is not a table that can be read: it has Parquet's name and is no Parquet",
        name="a.parquet",
    ),
    File("Parquet cut off", parquet()[:-9], "it is not a table that can be read: …", name="a.parquet"),
    File("Parquet, words", parquet(age=words("45")), "column age holds string, not numbers", name="a.parquet"),
    File(
        "Parquet, categories",
        parquet(age=words("45").dictionary_encode()),
        "column age holds dictionary<values=string, indices=int32, ordered=0>, not numbers",
        name="a.parquet",
    ),
    File(
        "Parquet, outcome as bool",
        parquet(**{TARGET: words(True)}),
        f"column {TARGET} holds bool, not numbers",
        "",
        name="a.parquet",
    ),
    File(
        "Parquet, nulls",
        parquet(age=pa.array([1, None, 3, None, 5])),
        f"column age is missing in 2 rows: 2, 4; {NOT_MISSING}",
        name="a.parquet",
    ),
    File(
        "Parquet, no rows",
        parquet(**{name: pa.array([], pa.float64()) for name in columns()}),
        "it has the right columns and has no rows",
        name="a.parquet",
    ),
]


def in_training(path: Path) -> tuple[str, bytes]:
    """What is said, and the bytes of the features when they are read."""
    try:
        return "", load(Settings(train=TrainSettings(data=str(path)))).features.tobytes()
    except DataInvalid as error:
        return str(error).replace(str(path), path.name), b""


def in_batch(path: Path) -> tuple[str, bytes]:
    try:
        (file,) = find(str(path), "")
        rows = np.concatenate([chunk.rows for chunk in read_chunks(file, CONTRACT, None, False)])
        return "", rows[:, 1:].tobytes()
    except DataInvalid as error:
        return str(error), b""


def written(file: File, folder: Path) -> Path:
    path = folder / file.name
    path.write_bytes(file.content.encode() if isinstance(file.content, str) else file.content)
    return path


@pytest.mark.parametrize("file", READ, ids=lambda file: file.kind)
def test_a_file_is_read_alike_to_the_last_bit(file: File, tmp_path: Path) -> None:
    path = written(file, tmp_path)
    expected = pd.DataFrame(columns())[list(FEATURES)].to_numpy(float).tobytes()
    assert in_training(path) == in_batch(path) == ("", expected)


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: file.kind)
def test_a_file_is_refused_alike_with_place_and_remedy(file: File, tmp_path: Path) -> None:
    path = written(file, tmp_path)
    for expected, (said, _) in (
        (file.said, in_training(path)),
        (file.said if file.in_batch is None else file.in_batch, in_batch(path)),
    ):
        whole = f"{file.name}: {expected}" if expected else ""
        # What follows the dots is another library's.
        assert (said[: len(whole) - 1] + "…" if whole.endswith("…") else said) == whole


def test_a_csv_number_is_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).lognormal(0, 9, 5_000)
    cells = [[str(at % 2), *([repr(number)] * len(FEATURES))] for at, number in enumerate(numbers.tolist())]
    path = written(File("", lines([TARGET, *FEATURES], cells)), tmp_path)
    expected = np.repeat(numbers, len(FEATURES)).tobytes()
    assert in_training(path) == in_batch(path) == ("", expected)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_where_a_block_of_the_file_ends_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    names = [*NAMES, "note"]
    cells = [[*row, '"two\nlines, "" quoted"'] for row in CELLS * 200]
    (tmp_path / "a.csv").write_bytes(pack(lines(names, cells).encode(encoding)))
    (file,) = find(str(tmp_path / "a.csv"), "")
    whole = np.concatenate([it.rows for it in read_chunks(file, CONTRACT, None, False)])
    for size in (1000, 1001, 1009, 4096):
        monkeypatch.setattr(text, "BLOCK_BYTES", size)
        chunks = list(read_chunks(file, CONTRACT, None, False))
        assert len(chunks) > 10
        assert np.concatenate([it.rows for it in chunks]).tobytes() == whole.tobytes()


def test_lines_are_counted_through_cells_of_two_and_lines_of_none(tmp_path: Path) -> None:
    names, note = [*NAMES[:-1], "note", NAMES[-1]], '"a\nb"'
    cells = [[*row[:-1], note, row[-1]] for row in CELLS]
    cells[3][AGE] = "old"
    path = written(File("", "\n" + lines(names, cells, end="\n\n")), tmp_path)
    # Each row takes two lines and an empty one, the first line is empty as well.
    assert in_batch(path)[0] == f"a.csv: column age is not a number in line 13; {NO_NUMBER}"


def test_other_columns_may_be_in_any_encoding_and_the_id_may_not(tmp_path: Path) -> None:
    content = lines([*NAMES, "name"], [[*row, "Zo\xeb"] for row in CELLS]).encode("latin-1")
    path = written(File("", content), tmp_path)
    assert in_batch(path)[0] == ""
    (file,) = find(str(path), "")
    with pytest.raises(DataInvalid, match=r"^a\.csv: column name is not in UTF-8 in 5 lines: 2, 3, 4, 5, 6$"):
        list(read_chunks(file, CONTRACT, "name", False))


def test_a_cell_that_never_ends_is_refused_at_its_line(tmp_path: Path) -> None:
    cells = [*CELLS, [*CELLS[0][:-1], '"2'], *CELLS * 5_000]
    path = written(File("", lines(cells=cells)), tmp_path)
    said = "a.csv: line 7 has a cell without an end; perhaps a quotation mark is not closed"
    assert in_training(path)[0] == in_batch(path)[0] == said


@pytest.mark.parametrize("secret", ["48151623", "Jane Doe", "1.5.2"])
@pytest.mark.parametrize("kind", ["header", "cell", "short", "quoted"])
def test_no_refusal_repeats_a_value(tmp_path: Path, secret: str, kind: str) -> None:
    content = {
        "header": lines(names=[secret] * len(NAMES)),
        "cell": with_cell(0, AGE, f"{secret}!"),
        "short": lines(cells=[[secret], *CELLS]),
        "quoted": with_cell(0, AGE, f'"{secret}'),
    }[kind]
    path = written(File("", content), tmp_path)
    for said, _ in (in_training(path), in_batch(path)):
        assert said
        assert secret not in said


def test_the_first_five_places_are_named_and_all_are_counted(tmp_path: Path) -> None:
    cells = [[*row[:INCOME], "-1", *row[INCOME + 1 :]] for row in CELLS * 9_000]
    path = written(File("", lines(cells=cells)), tmp_path)
    said = "a.csv: column MonthlyIncome is negative in 45000 lines: 2, 3, 4, 5, 6, …"
    assert in_training(path)[0] == in_batch(path)[0] == said


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    path = written(File("", lines()), tmp_path)
    (file,) = find(str(path), "")
    path.unlink()
    with pytest.raises(DataInvalid, match=r"^a\.csv: it cannot be read: .*No such file"):
        list(read_chunks(file, CONTRACT, None, False))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip", "a.parquet"])
def test_an_object_in_s3_is_read_as_the_file_is(tmp_path: Path, s3_endpoint_url: str, name: str) -> None:
    (file,) = (it for it in READ if it.name == name and it.kind in ("plain", "gzip", "zip", "Parquet"))
    path = written(file, tmp_path)
    boto3.client("s3", endpoint_url=s3_endpoint_url).upload_file(str(path), "datasets", f"credit/{name}")
    stored = load(Settings(train=TrainSettings(data=f"s3://datasets/credit/{name}", s3_endpoint_url=s3_endpoint_url)))
    assert stored.name == f"s3://datasets/credit/{name}"
    assert stored.features.tobytes() == in_training(path)[1]
