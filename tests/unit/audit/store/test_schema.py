"""Migrations make what the queries expect, in either database, and partitions ahead."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, text

from app.audit.store.database import open_engine
from app.audit.store.repository import DAY, Store
from app.audit.store.schema.migrating import migrate
from app.audit.store.schema.partitions import partitions
from app.audit.store.schema.tables import metadata
from app.errors import RecordError
from app.times import Month
from tests.support.postgres import Postgres
from tests.support.records import NOON, decisions, linked


def test_the_migrated_tables_have_the_columns_and_keys_of_the_queries(store: Store) -> None:
    found = inspect(store.engine)
    for table in metadata.sorted_tables:
        columns = {it["name"]: it["nullable"] for it in found.get_columns(table.name)}
        assert columns == {it.name: it.nullable for it in table.columns}
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [it.name for it in table.primary_key]


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.insert(linked(decisions(3)))
    migrate(store.engine, Month.of(NOON))
    assert store.count(None, None) == 3


def test_several_processes_may_migrate_at_once(database_uri: str) -> None:
    engines = [open_engine(database_uri, create=True) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda engine: migrate(engine, Month.of(NOON)), engines))
    assert Store(engines[0]).spans() == []
    for engine in engines:
        engine.dispose()


def test_a_database_of_a_later_release_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordError, match="later release"):
        migrate(store.engine, Month.of(NOON))


def test_this_month_and_the_next_two_have_their_partitions(postgres: Postgres) -> None:
    engine = open_engine(postgres.new_database())
    migrate(engine, Month(2026, 11))
    with engine.begin() as connection:
        assert sorted(partitions(connection, "decisions")) == [Month(2026, 11), Month(2026, 12), Month(2027, 1)]
        assert sorted(partitions(connection, "entries")) == [Month(2026, 11), Month(2026, 12), Month(2027, 1)]
    engine.dispose()


def test_what_came_before_its_partition_moves_into_it(postgres: Postgres) -> None:
    engine = open_engine(postgres.new_database())
    store = Store(engine)
    migrate(engine, Month(2025, 1))
    links = linked(decisions(3) + decisions(2, NOON + 40 * DAY))
    store.insert(links)
    migrate(engine, Month.of(NOON))
    with engine.begin() as connection:
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM decisions_{name}")).scalar()
            for name in ("2026_09", "2026_10", "default")
        }
    assert counts == {"2026_09": 3, "2026_10": 2, "default": 0}
    assert store.count(None, None) == 5
    engine.dispose()
