"""The rows of a file, or the first that is wrong with its place."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.batch import chunks as module
from app.batch.chunks import Chunk, read_chunks
from app.batch.files import find
from app.errors import DataInvalid
from app.features import FEATURES, NAMELESS, TARGET


def written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.rename(columns={NAMELESS[1]: ""}).to_csv(path, index=False, na_rep="NA")
    return path


def chunks(path: Path, id_column: str | None = None, numbered: bool = False) -> list[Chunk]:
    (file,) = find(str(path), "")
    return list(read_chunks(file, id_column, numbered))


def matrix(path: Path, **options: Any) -> Any:
    return np.concatenate([chunk.rows for chunk in chunks(path, **options)])


def ids(path: Path, **options: Any) -> list[Any]:
    return [it for chunk in chunks(path, **options) for it in chunk.ids.to_pylist()]


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(DataInvalid) as caught:
        chunks(path, **options)
    return str(caught.value)


@pytest.fixture(params=["a.csv", "a.parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def test_rows_have_the_tables_bits_whatever_the_order_of_its_columns(table: pd.DataFrame, path: Path) -> None:
    frame = table[[TARGET, *reversed(FEATURES)]].assign(more="text")
    rows = matrix(written(frame, path))
    assert rows[:, 1:].tobytes() == table[list(FEATURES)].to_numpy(dtype=np.float64).tobytes()
    assert ids(path) == list(range(1, len(table) + 1))


def test_a_file_larger_than_a_chunk_comes_in_several(
    table: pd.DataFrame, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 100)
    monkeypatch.setattr(module, "CSV_BLOCK_BYTES", 8000)
    found = chunks(written(table, path))
    assert len(found) >= 4
    assert np.concatenate([it.rows for it in found])[:, 2].tolist() == table["age"].tolist()
    assert sum(it.bytes for it in found) == pytest.approx(path.stat().st_size, rel=0.02)


def test_a_nameless_first_column_tells_the_rows_apart(table: pd.DataFrame, path: Path) -> None:
    frame = table.drop(columns=[name for name in NAMELESS if name in table])
    frame.insert(0, NAMELESS[1], np.arange(len(table)) * 7)
    written(frame, path)
    assert [int(it) for it in ids(path)] == [7 * at for at in range(len(table))]
    assert matrix(path, numbered=True)[:, 0].tolist() == [7.0 * at for at in range(len(table))]
    assert matrix(path)[:2, 0].tolist() == [1, 2]


def test_a_column_can_be_named_that_tells_the_rows_apart(table: pd.DataFrame, path: Path) -> None:
    written(table.assign(customer=[f"c{at}" for at in range(len(table))]), path)
    assert ids(path, id_column="customer")[:2] == ["c0", "c1"]
    assert "column client is not there" in refusal(path, id_column="client")


def test_whole_numbers_are_numbers(table: pd.DataFrame, path: Path) -> None:
    written(table.assign(age=table["age"].astype(np.int64)), path)
    assert matrix(path)[:, 2].tolist() == table["age"].tolist()


@pytest.mark.parametrize(
    ("value", "complaint"), [(None, "age is missing in row 18"), (np.inf, "age is infinite in row 18")]
)
def test_what_the_api_would_refuse_is_refused_with_file_column_and_row(
    table: pd.DataFrame, path: Path, value: float | None, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    frame = table.assign(age=table["age"].astype(np.float64))
    frame.loc[frame.index[17], "age"] = value
    assert refusal(written(frame, path)) == f"{path.name}: column {complaint}"


@pytest.mark.parametrize(("cell", "shown"), [("secret", "secret"), ("nan", "nan"), ("1.5.2", "1.5.2")])
def test_a_word_among_numbers_is_refused_with_its_place_and_not_repeated(
    table: pd.DataFrame, tmp_path: Path, cell: str, shown: str
) -> None:
    frame = table.astype(object)
    frame.loc[frame.index[41], "MonthlyIncome"] = cell
    said = refusal(written(frame, tmp_path / "a.csv"))
    assert said == "a.csv: column MonthlyIncome is not a number in row 42"


def test_a_parquet_column_of_another_kind_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    for kind, values in (("bool", [True] * len(table)), ("string", ["1"] * len(table))):
        said = refusal(written(table.assign(age=values), tmp_path / "a.parquet"))
        assert f"column age holds {'large_' if 'large' in said else ''}{kind}, not numbers" in said


def test_nan_in_a_parquet_file_is_a_missing_value(table: pd.DataFrame, tmp_path: Path) -> None:
    columns = {name: pa.array(table[name].to_numpy(dtype=np.float64), from_pandas=False) for name in FEATURES}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert np.isnan(matrix(tmp_path / "a.parquet")[:, 5]).sum() == table["MonthlyIncome"].isna().sum() > 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "column RevolvingUtilizationOfUnsecuredLines is not there"),
        ("a.csv", (",".join(FEATURES) + "\n").encode(), "has no rows"),
        ("a.csv", (",".join([*FEATURES, "age"]) + "\n").encode(), "column age is there twice"),
        ("a.csv", (",".join(FEATURES) + "\n1,2\n").encode(), "row 1 has 2 cells; the first line has 10"),
        ("a.csv", b"\xff\xfe\x00\x01\n", "is not a table that can be read"),
        ("a.parquet", b"a,b\n1,2\n", "is not a table that can be read"),
    ],
)
def test_what_is_no_table_of_applicants_is_refused_with_its_name(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    said = refusal(tmp_path / name)
    assert said.startswith("a.")
    assert reason in said
