"""A store in each kind of database: SQLite, and a real Postgres that the whole session shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.times import Month
from harness.postgres import Postgres, running_postgres
from tests.support.records import NOON


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'decisions.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def store(database_uri: str) -> Iterator[Store]:
    """With the tables of this release, and partitions for September 2026 and after."""
    engine = open_engine(database_uri, create=True)
    migrate(engine, Month.of(NOON))
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """Where it does not matter which database it is."""
    engine = open_engine(f"sqlite:///{tmp_path / 'decisions.db'}", create=True)
    migrate(engine, Month.of(NOON))
    yield Store(engine)
    engine.dispose()
