"""Connects to the record's database, Postgres or SQLite, and translates its errors into this project's."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from app.errors import RecordUnavailable, SettingInvalid

DRIVERS = {"postgresql", "postgresql+psycopg2", "sqlite", "sqlite+pysqlite"}
UNREADABLE_URI = (
    "setting audit.database_uri (environment: DATABASE_URI) cannot be read;"
    " allowed: postgresql://user:password@host:port/database or sqlite:///file"
)

CONNECT_SECONDS = 3
BUSY_SECONDS = 5
"""How long one process waits for another that writes to the same SQLite file."""

# A server that is gone without a word is noticed within this time, not after the two hours of TCP's own.
KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

BETWEEN_SECONDS = 0.01
"""Between two attempts to switch on write-ahead logging, for which SQLite does not wait by itself."""

READING = {"reading": True}
"""Execution option of a connection that will not write."""


def open_engine(uri: str, connections: int = 2, statement_seconds: float | None = None, create: bool = False) -> Engine:
    """An engine for the address, which connects once it is used.

    connections: most at a time, in Postgres. statement_seconds: longest that Postgres may take for one statement.
    create: make an SQLite file where there is none. Raises SettingInvalid when the address cannot be read.
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        raise SettingInvalid(UNREADABLE_URI) from None
    if url.drivername not in DRIVERS:
        raise SettingInvalid(UNREADABLE_URI)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, create)
    # Without a driver's name SQLAlchemy takes psycopg 3.
    url = url.set(drivername="postgresql+psycopg2")
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, **KEEPALIVE}
    if statement_seconds is not None:
        options["options"] = f"-c statement_timeout={int(statement_seconds * 1000)}"
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        connect_args=options,
        hide_parameters=True,
    )


def _sqlite(url: URL, create: bool) -> Engine:
    # Made of its parts: of a text, what is quoted for SQLite would be read as quoted for the address.
    query = {"mode": "rwc" if create else "rw", "uri": "true"}
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(url.database or '')}", query=query),
        connect_args={"timeout": BUSY_SECONDS},
        # Opened anew each time: a file that somebody deleted would take what is written for as long as it is open.
        poolclass=NullPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def _(*_: Any) -> None:
        if create and url.database:
            _make_private(url.database)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        # The driver's own transactions begin too late to keep two writers apart; ours begin below.
        connection.isolation_level = None
        # A changed byte is for the hash to find; the driver's error would quote what stands around it.
        connection.text_factory = lambda content: content.decode(errors="replace")
        if create:
            _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _make_private(path: str) -> None:
    """Make the file where there is none, unreadable for other users; a failure shows when it is opened."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch on write-ahead logging, so that readers and the writer do not wait for each other; the file keeps it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            # Another process is switching it on, for which SQLite does not wait as it does for a write.
            if time.monotonic() > deadline:
                raise
            time.sleep(BETWEEN_SECONDS)


def is_postgres(connection: Connection) -> bool:
    """Whether it leads to Postgres; otherwise to SQLite."""
    return connection.dialect.name == "postgresql"


def public(url: URL) -> str:
    """Where the database is, for messages: without user and password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {unquote((url.database or '').removeprefix('file:'))}"
    return f"Postgres database {url.database} at {url.host or 'the local socket'}:{url.port or 5432}"


@contextmanager
def translated(what: str, engine: Engine) -> Iterator[None]:
    """Raises the database's errors as RecordUnavailable, without a statement's values. what: has failed, for people."""
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"{what}: {public(engine.url)}: {_reason(error)}; {_remedy(error)}") from error


def _reason(error: SQLAlchemyError) -> str:
    if isinstance(error, OperationalError | InterfaceError | ProgrammingError) and str(error.orig).strip():
        # Of these the first line is about the server or its tables; others may quote a value.
        return " ".join(str(error.orig).splitlines()[0].split())
    return type(error.orig if isinstance(error, DBAPIError) else error).__name__


def _remedy(error: SQLAlchemyError) -> str:
    text = str(error)
    if "no such table" in text or "UndefinedTable" in text:
        return "credit audit migrate makes the tables"
    if "authentication failed" in text or "permission denied" in text:
        return "check user and password in DATABASE_URI (audit.database_uri)"
    return "start it, or correct DATABASE_URI (audit.database_uri)"
