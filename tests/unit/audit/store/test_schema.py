"""Migrations make what the queries expect, in either database, and partitions ahead."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import inspect, text

from app.audit.commands.verify import verify
from app.audit.store.database import is_postgres, open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import LOCK, config_of, migrate
from app.audit.store.schema.partitions import partitions
from app.audit.store.schema.tables import metadata
from app.errors import RecordError
from app.times import DAY, Month, utc
from harness.postgres import Postgres
from tests.support.records import NOON, decisions, linked, policy_entry


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


def test_a_migration_may_take_longer_than_a_statement(postgres: Postgres) -> None:
    uri = postgres.new_database()
    holding, patient = open_engine(uri), open_engine(uri, statement_seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        with holding.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            migrating = pool.submit(migrate, patient, Month.of(NOON))
            with pytest.raises(TimeoutError):
                migrating.result(1)
        migrating.result(60)
    assert Store(patient).spans() == []
    for engine in (holding, patient):
        engine.dispose()


def test_a_database_of_a_later_release_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordError, match="later release"):
        migrate(store.engine, Month.of(NOON))


@pytest.mark.parametrize("table", ["decisions", "entries", "heads"])
def test_a_table_that_is_gone_is_named_with_the_remedy(store: Store, table: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {table}"))
    with pytest.raises(RecordError, match=f"lacks the table {table}, which was made there once.* from a backup"):
        migrate(store.engine, Month.of(NOON))


def test_what_an_earlier_release_kept_can_be_found_after_the_migration(database_uri: str) -> None:
    engine = open_engine(database_uri, create=True)
    store = Store(engine)
    with engine.begin() as connection:
        command.upgrade(config_of(connection), "0001")
    links = linked([policy_entry(), *decisions(2)])
    with engine.begin() as connection:
        for it in links[1:]:
            at = f"'{utc(it.at)}'" if is_postgres(connection) else it.at
            connection.execute(
                text(f"INSERT INTO decisions VALUES (:key, {at}, :writer, :sequence, :hash, :content)"),
                {name: getattr(it, name) for name in ("key", "writer", "sequence", "hash", "content")},
            )
    migrate(engine, Month.of(NOON))
    found = store.decision(links[1].key)
    assert found is not None
    assert (found.application_id, found.request_id, found.caller, found.verdict) == (None, "r-1", None, "REJECT")
    assert [it.what for it in verify(store, None, None, [], lambda _: None).first] == [
        "1 before it are missing, from sequence 1 on"
    ]
    engine.dispose()


def test_acts_are_found_without_reading_what_challengers_said(store: Store) -> None:
    query = "SELECT content FROM entries WHERE kind = 'act' ORDER BY at DESC"
    with store.engine.begin() as connection:
        if is_postgres(connection):
            # Of an empty table it would read all rows.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = connection.execute(text(f"EXPLAIN {query}")).scalars().all()
            assert "kind_key_at_idx" in "\n".join(plan)
        else:
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
            assert "entries_by_kind (kind=?)" in str(plan)


@pytest.mark.parametrize("keys", ["('a')", "('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l')"])
def test_what_is_about_a_decision_is_found_by_its_id_however_many_others_there_are(
    sqlite_store: Store, keys: str
) -> None:
    query = f"SELECT content FROM entries WHERE kind = 'outcome' AND key IN {keys} ORDER BY at, sequence"
    with sqlite_store.engine.begin() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert "entries_by_kind (kind=? AND key=?)" in str(plan)


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
