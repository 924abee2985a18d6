"""Each month of a Postgres record is a partition; an SQLite record has none, and nothing to do."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.audit.store.schema.partitions import AHEAD, drop_before, make_ahead, partitions
from app.times import Month
from harness.postgres import Postgres
from tests.support.records import NOON, decisions, linked, policy_entry

SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (Month(2026, month) for month in (9, 10, 11, 12))


@pytest.fixture
def postgres_store(postgres: Postgres) -> Iterator[Store]:
    """With partitions for September 2026 and the two months after it."""
    engine = open_engine(postgres.new_database())
    migrate(engine, SEPTEMBER)
    yield Store(engine)
    engine.dispose()


def counts(connection: Connection, *tables: str) -> list[int]:
    return [int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()) for table in tables]


def test_partitions_are_listed_by_month_without_the_default_one(postgres_store: Store) -> None:
    with postgres_store.engine.begin() as connection:
        assert partitions(connection, "decisions") == {
            SEPTEMBER: "decisions_2026_09",
            OCTOBER: "decisions_2026_10",
            NOVEMBER: "decisions_2026_11",
        }
        assert list(partitions(connection, "entries").values()) == [
            "entries_2026_09",
            "entries_2026_10",
            "entries_2026_11",
        ]
    assert AHEAD == 2


def test_only_the_missing_months_are_made(postgres_store: Store) -> None:
    with postgres_store.engine.begin() as connection:
        assert make_ahead(connection, SEPTEMBER) == []
        assert make_ahead(connection, NOVEMBER) == [
            "decisions_2026_12",
            "decisions_2027_01",
            "entries_2026_12",
            "entries_2027_01",
        ]


def test_a_link_lies_in_the_partition_of_its_month_from_its_first_to_its_last_microsecond(
    postgres_store: Store,
) -> None:
    moments = [OCTOBER.start - 1, OCTOBER.start, NOVEMBER.start - 1, NOVEMBER.start]
    entries = [entry for at in moments for entry in (*decisions(1, at), policy_entry(at))]
    postgres_store.insert(linked(entries))
    with postgres_store.engine.begin() as connection:
        for table in ("decisions", "entries"):
            months = [f"{table}_2026_{month}" for month in ("09", "10", "11")]
            assert counts(connection, *months, f"{table}_default") == [1, 2, 1, 0]


def test_what_came_too_early_for_its_partition_moves_there_and_nothing_else_does(postgres_store: Store) -> None:
    moments = [DECEMBER.start - 1, DECEMBER.start, Month(2027, 1).start - 1, Month(2027, 1).start, Month(2027, 9).start]
    links = linked([entry for at in moments for entry in decisions(1, at)])
    postgres_store.insert(links)
    with postgres_store.engine.begin() as connection:
        assert counts(connection, "decisions_2026_11", "decisions_default") == [1, 4]
        make_ahead(connection, OCTOBER)
        assert counts(connection, "decisions_2026_12", "decisions_default") == [2, 2]
    (span,) = postgres_store.spans()
    assert [it.content for it in postgres_store.chain(span)] == [it.content for it in links]


def test_whole_months_are_dropped_with_what_they_hold(postgres_store: Store) -> None:
    kept = decisions(1, OCTOBER.start)
    postgres_store.insert(linked([*decisions(2, NOON), policy_entry(NOON), *kept]))
    with postgres_store.engine.begin() as connection:
        assert drop_before(connection, SEPTEMBER) == []
        assert drop_before(connection, OCTOBER) == ["decisions_2026_09", "entries_2026_09"]
        assert drop_before(connection, OCTOBER) == []
        assert counts(connection, "decisions", "entries") == [1, 0]
    assert [it.key for it in postgres_store.decisions(None, None)] == [kept[0].key]


def test_sqlite_has_no_partitions_and_keeps_its_rows(sqlite_store: Store) -> None:
    sqlite_store.insert(linked(decisions(2)))
    with sqlite_store.engine.begin() as connection:
        assert partitions(connection, "decisions") == {}
        assert make_ahead(connection, DECEMBER) == []
        assert drop_before(connection, DECEMBER) == []
    assert sqlite_store.count(None, None) == 2
