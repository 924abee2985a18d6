"""The rows of a file, or the first that is wrong with its place."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.batch.chunks import Chunk, read_chunks
from app.errors import DataInvalid
from app.tables import text, typed
from app.tables.find import find
from app.tables.wanted import NAMELESS
from harness.fields import CONTRACT, FEATURES, TARGET


def written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.rename(columns={NAMELESS[1]: ""}).to_csv(path, index=False, na_rep="NA")
    return path


def chunks(path: Path, id_column: str | None = None, numbered: bool = False) -> list[Chunk]:
    (file,) = find(str(path), "")
    return list(read_chunks(file, CONTRACT, id_column, numbered))


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
    monkeypatch.setattr(typed, "CHUNK_ROWS", 100)
    monkeypatch.setattr(text, "BLOCK_BYTES", 8000)
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


def test_a_nameless_column_of_words_is_refused_for_a_model_that_takes_it_and_no_word_repeated(
    table: pd.DataFrame, path: Path
) -> None:
    frame = table.assign(**{NAMELESS[1]: [f"c{at}" for at in range(len(table))]})
    written(frame, path)
    assert ids(path)[:2] == ["c0", "c1"]
    said = refusal(path, numbered=True)
    assert said == f"{path.name}: the nameless first column is not all numbers, and this model takes it"
