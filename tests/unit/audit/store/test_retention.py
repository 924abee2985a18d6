"""Whole months leave, and the chains that they leave behind are still explained."""

from contextlib import closing

import pytest
from sqlalchemy import text

from app.audit.commands.ends import Head
from app.audit.commands.verify import verify
from app.audit.store import retention
from app.audit.store.database import is_postgres, open_engine
from app.audit.store.repository import Store
from app.audit.store.retention import retain
from app.audit.store.schema.migrating import migrate
from app.audit.store.schema.partitions import partitions
from app.errors import RecordUnavailable
from app.times import DAY, Month
from harness.postgres import Postgres
from tests.support.records import NOON, decisions, identifier, linked

OCTOBER, DECEMBER = Month(2026, 10), Month(2026, 12)


def nothing(_: int) -> None:
    pass


def test_only_what_is_older_than_whole_months_leaves(store: Store) -> None:
    last_of_september = decisions(1, OCTOBER.start - 1)
    first_of_october = decisions(1, OCTOBER.start)
    store.insert(linked(last_of_september + first_of_october))
    retained = retain(store, DECEMBER, months=2)
    assert retained.links == 1
    assert [it.key for it in store.decisions(None, None)] == [first_of_october[0].key]
    with store.engine.begin() as connection:
        left = sorted(partitions(connection, "decisions"))
        if is_postgres(connection):
            assert left == [OCTOBER, Month(2026, 11), DECEMBER, Month(2027, 1), Month(2027, 2)]
            assert retained.partitions_dropped == ["decisions_2026_09", "entries_2026_09"]


def test_rows_of_the_default_partition_leave_with_their_month(store: Store) -> None:
    store.insert(linked(decisions(3, NOON - 300 * DAY) + decisions(2)))
    assert retain(store, Month.of(NOON), months=2).links == 3
    assert store.count(None, None) == 2


def test_a_chain_that_begins_late_is_said_and_is_no_error(store: Store) -> None:
    links = linked(decisions(4) + decisions(3, OCTOBER.start) + decisions(2, Month(2026, 11).start))
    store.insert(links)
    retain(store, Month(2026, 11), months=1)
    retain(store, DECEMBER, months=1)
    found = verify(store, None, None, [Head(it.writer, it.sequence, it.hash) for it in links[3:]], nothing)
    assert found.passed
    assert (found.links, found.taken, found.taken_before) == (2, 7, "2026-11-01T00:00:00.000000Z")


def test_a_clock_that_was_set_back_leaves_an_explained_gap(store: Store) -> None:
    store.insert(linked(decisions(2, OCTOBER.start) + decisions(2) + decisions(2, OCTOBER.start + DAY)))
    retain(store, DECEMBER, months=2)
    found = verify(store, None, None, [], nothing)
    assert found.passed
    assert (found.links, found.taken) == (4, 2)


def test_a_chain_that_begins_late_without_retention_is_bad(store: Store) -> None:
    writer = identifier(NOON)
    store.insert(linked(decisions(5), writer)[2:])
    found = verify(store, None, None, [], nothing)
    assert not found.passed
    assert (found.first[0].sequence, found.first[0].what) == (3, "2 before it are missing, from sequence 1 on")


def test_retention_twice_takes_nothing_more(store: Store) -> None:
    store.insert(linked(decisions(2) + decisions(2, OCTOBER.start)))
    assert retain(store, DECEMBER, months=2).links == 2
    assert retain(store, DECEMBER, months=2).links == 0
    with store.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM dropped")).scalar() == 1


def test_a_long_reader_keeps_retention_waiting_only_so_long(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOCK_SECONDS", 1)
    engine = open_engine(postgres.new_database())
    migrate(engine, Month.of(NOON))
    store = Store(engine)
    store.insert(linked(decisions(3)))
    with closing(store.decisions(None, None)) as reading:
        next(reading)
        with pytest.raises(RecordUnavailable, match="what is older than the retention stays for now.*lock timeout"):
            retain(store, DECEMBER, months=2)
    assert retain(store, DECEMBER, months=2).links == 3
    engine.dispose()


def test_what_is_said_to_be_taken_from_a_month_that_is_kept_is_bad(store: Store) -> None:
    store.insert(linked(decisions(2) + decisions(2, OCTOBER.start)))
    retain(store, DECEMBER, months=2)
    kept_from = DECEMBER.plus(-2).start
    assert verify(store, None, None, [], nothing, kept_from).passed
    found = verify(store, None, None, [], nothing, kept_from - 1)
    assert not found.passed
    assert "audit.retention_months" in found.first[0].what
