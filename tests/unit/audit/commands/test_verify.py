"""Whatever is changed in the database is found."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from app.audit.commands.ends import Head, heads_of, read_heads
from app.audit.commands.verify import Verified, verify
from app.audit.store.database import is_postgres, open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.errors import RecordInvalid
from app.times import Month
from tests.support.records import NOON, SECOND, challenged, decisions, linked, policy_entry


def verified(
    store: Store, since: int | None = None, until: int | None = None, heads: list[Head] | None = None
) -> Verified:
    return verify(store, since, until, heads or [], lambda _: None)


def filled(store: Store) -> None:
    first, *others = decisions(8)
    store.insert(linked([policy_entry(), first, challenged(first, 0.2), *others]))
    store.insert(linked([policy_entry(), *decisions(3)]))


def change(store: Store, statement: str) -> None:
    with store.engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1


CHANGES = {
    "id": "'01a0c450-6c00-7000-80b6-5093f2a50944'",
    "key": "'other'",
    "kind": "'policies'",
    "writer": "'other'",
    "sequence": "sequence + 100",
    "hash": f"'{'0' * 64}'",
}


@pytest.mark.parametrize("table", ["decisions", "entries"])
@pytest.mark.parametrize("column", ["id", "key", "kind", "writer", "sequence", "hash", "at", "content"])
def test_a_change_of_any_column_is_found(store: Store, table: str, column: str) -> None:
    if column in {"decisions": ("key", "kind"), "entries": ("id",)}[table]:
        return
    filled(store)
    assert verified(store).passed
    with store.engine.begin() as connection:
        postgres = is_postgres(connection)
    later = "at + interval '1 microsecond'" if postgres else "at + 1"
    flipped = (
        "overlay(content placing '~' from 40 for 1)"
        if postgres
        else "substr(content, 1, 39) || '~' || substr(content, 41)"
    )
    new = CHANGES | {"at": later, "content": flipped}
    third = "(SELECT writer FROM entries WHERE kind = 'challenger')"
    place = 5 if table == "decisions" else 3
    change(store, f"UPDATE {table} SET {column} = {new[column]} WHERE writer = {third} AND sequence = {place}")
    found = verified(store)
    assert not found.passed
    assert place in [it.sequence for it in found.first] or place + 1 in [it.sequence for it in found.first]


def test_every_flipped_byte_of_a_record_is_found(sqlite_store: Store) -> None:
    (link,) = linked(decisions(1))
    sqlite_store.insert([link])
    for at in range(len(link.content)):
        flipped = link.content[:at] + chr(ord(link.content[at]) ^ 1) + link.content[at + 1 :]
        with sqlite_store.engine.begin() as connection:
            connection.execute(text("UPDATE decisions SET content = :it"), {"it": flipped})
        assert not verified(sqlite_store).passed


def test_the_bad_record_is_named(store: Store) -> None:
    links = linked(decisions(4))
    store.insert(links)
    change(store, "UPDATE decisions SET content = content || ' ' WHERE sequence = 2")
    found = verified(store)
    assert str(found).splitlines() == [
        "BAD: 1 findings in 4 links of 1 writers; the first:",
        f"  record {links[1].key}, writer {links[1].writer}, sequence 2: its content does not have its hash",
    ]


def test_a_record_that_was_taken_out_is_missed(store: Store) -> None:
    store.insert(linked(decisions(5)))
    change(store, "DELETE FROM decisions WHERE sequence = 3")
    (bad,) = verified(store).first
    assert (bad.sequence, bad.what) == (4, "1 before it are missing, from sequence 3 on")


def test_a_record_that_was_put_in_is_found_by_its_place(store: Store) -> None:
    links = linked(decisions(3))
    (foreign,) = linked(decisions(1), links[0].writer)
    store.insert([*links, foreign])
    assert verified(store).bad > 0


def test_a_chain_that_was_written_anew_from_some_record_on_differs_from_a_kept_head(store: Store) -> None:
    honest = linked(decisions(3))
    store.insert(honest)
    heads = heads_of(store)
    assert heads == [Head(honest[-1].writer, 3, honest[-1].hash)]
    assert verified(store, heads=heads).passed
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM decisions"))
    store.insert(linked(decisions(3, NOON + SECOND), honest[0].writer))
    assert verified(store).passed
    (bad,) = verified(store, heads=heads).first
    assert bad.what == "it is not the one that a kept head names"


def test_an_end_that_was_cut_off_differs_from_a_kept_head(store: Store) -> None:
    store.insert(linked(decisions(3)))
    heads = heads_of(store)
    change(store, "DELETE FROM decisions WHERE sequence = 3")
    assert verified(store).passed
    (bad,) = verified(store, heads=heads).first
    assert (bad.sequence, bad.what) == (3, "a kept head names it, and it is missing")


def test_a_part_of_a_chain_is_verified_by_time(store: Store) -> None:
    store.insert(linked(decisions(10)))
    change(store, "UPDATE decisions SET content = content || ' ' WHERE sequence = 9")
    assert verified(store, NOON + 2 * SECOND, NOON + 6 * SECOND).links == 4
    assert verified(store, NOON + 2 * SECOND, NOON + 6 * SECOND).passed
    assert not verified(store, NOON + 2 * SECOND).passed


def test_a_file_that_holds_no_heads_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "heads.json"
    with pytest.raises(RecordInvalid, match="cannot be read"):
        read_heads(file)
    file.write_text(json.dumps({"heads": [{"writer": "w"}]}))
    with pytest.raises(RecordInvalid, match="credit audit heads"):
        read_heads(file)


def test_a_byte_that_is_no_text_any_more_is_found_and_not_quoted(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'decisions.db'}", create=True)
    migrate(engine, Month.of(NOON))
    store = Store(engine)
    store.insert(linked([policy_entry(), *decisions(3)]))
    with engine.begin() as connection:
        flipped = "CAST(CAST(substr(content, 1, 39) AS BLOB) || X'E1' || CAST(substr(content, 41) AS BLOB) AS TEXT)"
        connection.execute(text(f"UPDATE decisions SET content = {flipped} WHERE sequence = 3"))
    found = verified(store)
    assert [(it.sequence, it.what) for it in found.first] == [(3, "its content does not have its hash")]
    engine.dispose()


def test_an_embedded_database_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    engine = open_engine(f"sqlite:///{path}", create=True)
    migrate(engine, Month.of(NOON))
    engine.dispose()
    assert path.stat().st_mode & 0o777 == 0o600
