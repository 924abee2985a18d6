"""Connections: what an address leads to, who may read the file, and what an error may tell."""

import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.audit.store import database
from app.audit.store.database import READING, is_postgres, open_engine, public, translated
from app.errors import RecordUnavailable, SettingInvalid
from app.settings import AuditSettings
from harness.postgres import PASSWORD, Postgres


def make_and_read_mode(uri: str) -> str:
    """The journal mode of an SQLite file that is made, or is there already."""
    engine = open_engine(uri, create=True)
    with engine.connect() as connection:
        mode = str(connection.execute(text("PRAGMA journal_mode")).scalar_one())
    engine.dispose()
    return mode


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'decisions.db'}"


def test_an_engine_makes_no_file_by_itself(tmp_path: Path, uri: str) -> None:
    engine = open_engine(uri)
    with pytest.raises(RecordUnavailable, match="unable to open database file"), translated("reading", engine):
        engine.connect()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_made_is_for_its_own_user_alone(tmp_path: Path, uri: str) -> None:
    assert make_and_read_mode(uri) == "wal"
    assert (tmp_path / "decisions.db").stat().st_mode & 0o777 == 0o600


def test_a_file_name_may_hold_what_means_something_in_an_address(tmp_path: Path) -> None:
    path = tmp_path / "50%20of#these? decisions.db"
    engine = open_engine(f"sqlite:///{quote(str(path))}", create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (number INTEGER)"))
    assert {it.name.removesuffix("-wal").removesuffix("-shm") for it in tmp_path.iterdir()} == {path.name}
    assert public(engine.url) == f"SQLite file {path}"
    engine.dispose()


def test_a_file_that_another_writes_to_just_now_is_opened_once_it_has_done(
    tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "decisions.db", isolation_level=None)
    other.execute("CREATE TABLE t (number INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    pauses: list[float] = []

    def commit(seconds: float) -> None:
        pauses.append(seconds)
        other.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", commit)
    assert make_and_read_mode(uri) == "wal"
    assert len(pauses) == 1
    other.close()


def test_whoever_reads_does_not_wait_for_whoever_writes(uri: str) -> None:
    engine = open_engine(uri, create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (number INTEGER)"))
    with engine.begin() as writing:
        writing.execute(text("INSERT INTO t VALUES (1)"))
        with engine.connect().execution_options(**READING) as reading:
            assert reading.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    with engine.connect().execution_options(**READING) as reading:
        assert reading.execute(text("SELECT count(*) FROM t")).scalar_one() == 1
    engine.dispose()


def test_two_writers_of_one_file_do_not_begin_at_once(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    engine = open_engine(uri, create=True)
    with engine.begin():
        with pytest.raises(RecordUnavailable, match="writing: SQLite file .*: database is locked"):
            with translated("writing", engine), engine.begin():
                raise AssertionError("a second writer has begun")
    engine.dispose()


def test_changed_bytes_come_back_to_be_found_by_their_hash(uri: str, tmp_path: Path) -> None:
    make_and_read_mode(uri)
    with sqlite3.connect(tmp_path / "decisions.db") as connection:
        connection.execute("CREATE TABLE t (content TEXT)")
        connection.execute("INSERT INTO t VALUES (CAST(X'61FF62' AS TEXT))")
    connection.close()
    engine = open_engine(uri)
    with engine.connect() as reading:
        assert reading.execute(text("SELECT content FROM t")).scalar_one() == "a\ufffdb"
    engine.dispose()


def test_a_statement_of_postgres_ends_in_its_time(postgres: Postgres) -> None:
    engine = open_engine(postgres.uri("postgres"), statement_seconds=0.2)
    began = time.monotonic()
    with pytest.raises(RecordUnavailable, match="reading: Postgres database postgres at 127.0.0.1:.*statement timeout"):
        with translated("reading", engine), engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(30)"))
    assert time.monotonic() - began < 10
    engine.dispose()


def test_no_more_connections_are_opened_than_were_asked_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_SECONDS", 1)
    engine = open_engine(postgres.uri("postgres"), connections=1)
    with engine.connect() as connection:
        assert is_postgres(connection)
        with pytest.raises(RecordUnavailable, match="TimeoutError"), translated("reading", engine):
            engine.connect()
    engine.dispose()


def test_a_connection_that_the_server_has_ended_is_replaced(postgres: Postgres) -> None:
    engine = open_engine(postgres.uri("postgres"), connections=1)
    with engine.connect() as connection:
        ended = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    postgres.query("postgres", f"SELECT pg_terminate_backend({ended})")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != ended
    engine.dispose()


def test_an_error_about_a_value_tells_its_kind_alone(database_uri: str) -> None:
    engine = open_engine(database_uri, create=True)
    insert = text("INSERT INTO t VALUES (:name)")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (name TEXT UNIQUE)"))
        connection.execute(insert, {"name": "an applicant"})
    with engine.connect() as connection:
        with pytest.raises(RecordUnavailable) as raised, translated("decisions cannot be kept", engine):
            connection.execute(insert, {"name": "an applicant"})
    assert isinstance(raised.value.__cause__, IntegrityError)
    assert "UniqueViolation" in str(raised.value) or "IntegrityError" in str(raised.value)
    assert "an applicant" not in str(raised.value)
    engine.dispose()


def test_what_is_no_error_of_the_database_passes_as_it_is(uri: str) -> None:
    with pytest.raises(KeyError), translated("reading", open_engine(uri)):
        raise KeyError("mine")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2"])
def test_a_postgres_is_named_with_the_driver_or_without(scheme: str) -> None:
    engine = open_engine(f"{scheme}://credit@db/credit")
    assert engine.driver == "psycopg2"
    assert AuditSettings(database_uri=f"{scheme}://credit@db/credit").database_uri


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://host/x", "postgresql+nonsense://host/x"])
def test_an_address_that_leads_nowhere_says_which_ones_do(address: str) -> None:
    with pytest.raises(SettingInvalid, match=r"audit\.database_uri .*DATABASE_URI.* allowed: postgresql:"):
        open_engine(address)


def test_a_database_is_named_without_whoever_asks(postgres: Postgres) -> None:
    engine = open_engine(postgres.uri("postgres"))
    assert public(engine.url) == f"Postgres database postgres at 127.0.0.1:{postgres.port}"
    assert PASSWORD in engine.url.render_as_string(hide_password=False)
    assert public(open_engine("sqlite:////data/decisions.db").url) == "SQLite file /data/decisions.db"
