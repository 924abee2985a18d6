"""Exported decisions are those of the record, value for value, in a file that is complete or not there."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import text

from app.audit.chain import Entry
from app.audit.commands import export as exporting
from app.audit.commands.export import Exported, columns_of, export
from app.audit.store import about
from app.audit.store.repository import Store, Stored
from app.errors import RecordError, RecordInvalid, RecordUnavailable
from app.scoring.decider import Decider
from app.times import utc
from harness.fields import CONTRACT, FEATURES
from tests.support.fakes import constant_model
from tests.support.records import NOON, ROW, SECOND, challenged, decided, decisions, linked, policy_of_tests


def exported(store: Store, output: Path, since: int | None = None) -> Exported:
    return export(store.decisions(since, None), store, CONTRACT, output, lambda _: None)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return list(parquet.read_table(path).to_pylist())


def odd_decision() -> Entry:
    """With everything that a decision may lack, and a text that a table has to quote."""
    entry = decided(
        Decider(constant_model(1 / 3), policy_of_tests()), [None if at == 4 else it for at, it in enumerate(ROW)]
    )
    return Entry("decision", entry.key, entry.at, entry.fields | {"caller": 'bank, "north"\n', "row": 7})


def test_every_column_is_what_was_recorded(store: Store, tmp_path: Path) -> None:
    entry = odd_decision()
    store.insert(linked([entry, challenged(entry, 0.04)]))
    assert exported(store, tmp_path / "x.parquet").decisions == 1
    (row,) = rows_of(tmp_path / "x.parquet")
    recorded = entry.fields
    assert list(row) == list(columns_of(CONTRACT))
    assert [row[name] for name in FEATURES] == recorded["features"]
    assert (row["id"], row["at"]) == (entry.key, utc(NOON))
    for name in ("request_id", "caller", "row", "policy_version", "probability", "decision"):
        assert row[name] == recorded[name]
    assert [row[f"model_{name}"] for name in ("name", "version", "digest")] == [
        recorded["model"][name] for name in ("name", "version", "digest")
    ]
    assert row["reasons"] == ";".join(it["code"] for it in recorded["reasons"]) != ""
    assert (row["challenger_version"], row["challenger_probability"]) == ("9", 0.04)


def test_a_text_file_reads_back_to_the_same_values(store: Store, tmp_path: Path) -> None:
    store.insert(linked([odd_decision(), *decisions(3, NOON + SECOND)]))
    for name in ("x.csv", "x.parquet"):
        exported(store, tmp_path / name)
    with (tmp_path / "x.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    for texts, values in zip(from_csv, rows_of(tmp_path / "x.parquet"), strict=True):
        for name, kind in columns_of(CONTRACT).items():
            read = None if texts[name] == "" else float(texts[name]) if kind != "text" else texts[name]
            assert read == (values[name] or None if kind == "text" else values[name])


def test_columns_keep_their_types_where_no_decision_has_a_value(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.insert(linked(decisions(1)))
    exported(sqlite_store, tmp_path / "x.parquet")
    schema = parquet.read_schema(tmp_path / "x.parquet")
    assert {schema.field(name).type for name in FEATURES} == {pa.float64()}
    assert schema.field("row").type == pa.int64()
    assert schema.field("caller").type == schema.field("challenger_version").type == pa.string()
    assert schema.field("challenger_probability").type == pa.float64()


def test_decisions_of_a_time_are_exported_in_its_order_some_at_a_time(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(about, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(exporting, "ROW_GROUP", 8)
    entries = decisions(15)
    store.insert(linked([*entries, *(challenged(it, 0.01) for it in entries)]))
    done: list[int] = []
    export(store.decisions(NOON + 2 * SECOND, None), store, CONTRACT, tmp_path / "x.parquet", done.append)
    assert done == [4, 4, 4, 1]
    assert [it["id"] for it in rows_of(tmp_path / "x.parquet")] == [it.key for it in entries[2:]]
    assert {it["challenger_probability"] for it in rows_of(tmp_path / "x.parquet")} == {0.01}
    assert parquet.ParquetFile(tmp_path / "x.parquet").num_row_groups == 2


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_nothing_to_export_is_a_table_without_rows(sqlite_store: Store, tmp_path: Path, name: str) -> None:
    assert exported(sqlite_store, tmp_path / name) == Exported(str(tmp_path / name), 0)
    header = (tmp_path / name).read_text().strip().split(",") if name == "x.csv" else None
    assert (header or parquet.read_schema(tmp_path / name).names) == list(columns_of(CONTRACT))


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_changed_decision_ends_the_export_and_leaves_the_file_of_before(
    store: Store, tmp_path: Path, name: str
) -> None:
    entries = decisions(3)
    store.insert(linked(entries))
    (tmp_path / name).write_text("of before")
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET content = replace(content, 'r-1', 'r-2') WHERE sequence = 2"))
    with pytest.raises(RecordInvalid, match=f"decision {entries[1].key}: its content does not have its hash"):
        exported(store, tmp_path / name)
    assert [(it.name, it.read_text()) for it in tmp_path.glob("x*")] == [(name, "of before")]


def test_a_link_that_is_no_decision_is_named(sqlite_store: Store, tmp_path: Path) -> None:
    entry = Entry("decision", decisions(1)[0].key, NOON, {"probability": 0.1})
    sqlite_store.insert(linked([entry]))
    with pytest.raises(RecordInvalid, match=f"decision {entry.key}: its content is no decision"):
        exported(sqlite_store, tmp_path / "x.csv")


def test_a_database_that_goes_in_between_leaves_no_file(sqlite_store: Store, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Stored]:
        yield from sqlite_store.decisions(None, None)
        raise RecordUnavailable("the database went")

    sqlite_store.insert(linked(decisions(3)))
    with pytest.raises(RecordUnavailable, match="the database went"):
        export(interrupted(), sqlite_store, CONTRACT, tmp_path / "x.csv", lambda _: None)
    assert list(tmp_path.glob("x*")) == []


def test_another_kind_of_file_is_refused_before_anything_is_read(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"must end with \.parquet or \.csv"):
        exported(sqlite_store, tmp_path / "x.xls")
    assert list(tmp_path.glob("x*")) == []
