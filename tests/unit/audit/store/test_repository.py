"""What is put into either database comes back, once."""

from pathlib import Path

import pytest

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.errors import RecordUnavailable, SettingInvalid
from app.scoring.decider import Decider
from app.times import DAY, Month
from harness.postgres import PASSWORD, Postgres
from harness.servers import free_port
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    ROW,
    SECOND,
    challenged,
    decided,
    decisions,
    identifier,
    linked,
    policy_entry,
    policy_of_tests,
)


def test_what_is_shipped_to_a_file_that_was_deleted_is_not_taken_for_kept(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    engine = open_engine(f"sqlite:///{file}", create=True)
    migrate(engine, Month.of(NOON))
    store = Store(engine)
    store.insert(linked(decisions(1)))
    for left in tmp_path.glob("decisions.db*"):
        left.unlink()
    links = linked(decisions(2))
    with pytest.raises(RecordUnavailable, match="no such table.*credit audit migrate makes the tables"):
        store.insert(links)
    migrate(engine, Month.of(NOON))
    store.insert(links)
    assert store.count(None, None) == 2
    assert file.stat().st_mode & 0o077 == 0


def test_links_that_come_twice_are_kept_once(store: Store) -> None:
    links = linked([policy_entry(), *decisions(5)])
    store.insert(links[:4])
    store.insert(links)
    assert store.count(None, None) == 5
    (span,) = store.spans()
    assert (span.first, span.last, span.links) == (1, 6, 6)
    assert [it.content for it in store.chain(span)] == [it.content for it in links]


def test_a_batch_is_kept_whole_or_not_at_all(store: Store) -> None:
    good, bad = linked(decisions(2))
    object.__setattr__(bad, "content", None)
    with pytest.raises(RecordUnavailable):
        store.insert([good, bad])
    assert store.count(None, None) == 0


def test_every_column_comes_back_as_it_was(store: Store) -> None:
    (link,) = linked([decisions(1)[0]])
    store.insert([link])
    (stored,) = store.decisions(None, None)
    for name in ("kind", "key", "at", "writer", "sequence", "hash", "content"):
        assert getattr(stored, name) == getattr(link, name)


@pytest.mark.parametrize("shift", [0, -400 * DAY, 400 * DAY])
def test_a_decision_is_found_by_its_id_whatever_the_clock_said(store: Store, shift: int) -> None:
    template, *others = decisions(3)
    key = identifier(NOON + shift)
    entry = type(template)("decision", key, NOON, template.fields)
    store.insert(linked([entry, *others]))
    found = store.decision(key)
    assert found is not None
    assert found.at == NOON


@pytest.mark.parametrize("key", [identifier(NOON), "ffffffff-ffff-7fff-bfff-ffffffffffff"], ids=["unknown", "last"])
def test_an_id_that_nobody_gave_is_not_found(store: Store, key: str) -> None:
    store.insert(linked(decisions(1)))
    assert store.decision(key) is None


def test_decisions_of_a_time_come_in_its_order(store: Store) -> None:
    entries = decisions(10)
    store.insert(linked(entries[5:]))
    store.insert(linked(entries[:5]))
    found = [it.at for it in store.decisions(NOON + 2 * SECOND, NOON + 8 * SECOND)]
    assert found == [NOON + number * SECOND for number in range(2, 8)]
    assert store.count(NOON + 2 * SECOND, NOON + 8 * SECOND) == 6


def test_the_latest_link_of_a_policy_and_the_scores_of_challengers_are_found(store: Store) -> None:
    decision, other = decisions(2)
    links = linked([policy_entry(), decision, challenged(decision, 0.2), other, policy_entry(NOON + DAY)])
    store.insert(links)
    policy = store.latest("policy", policy_of_tests().version)
    assert policy is not None
    assert policy.sequence == 5
    assert store.latest("policy", "unknown") is None
    assert [it.sequence for it in store.challengers([decision.key, other.key])] == [3]


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    uri = f"postgresql+psycopg2://credit:very-secret@127.0.0.1:{free_port()}/credit"
    with pytest.raises(RecordUnavailable, match="Postgres database credit at 127.0.0.1:.*DATABASE_URI") as raised:
        Store(open_engine(uri)).spans()
    assert "very-secret" not in str(raised.value)


def test_a_wrong_password_is_told_without_the_password(postgres: Postgres) -> None:
    engine = open_engine(postgres.uri("postgres", "very-wrong"))
    with pytest.raises(RecordUnavailable, match="authentication failed.*check user and password") as raised:
        Store(engine).spans()
    assert "very-wrong" not in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_a_database_without_tables_says_what_makes_them(database_uri: str) -> None:
    engine = open_engine(database_uri, create=True)
    with pytest.raises(RecordUnavailable, match="credit audit migrate"):
        Store(engine).spans()
    engine.dispose()


def test_an_error_of_the_database_tells_nothing_of_a_record(store: Store) -> None:
    decider = Decider(constant_model(0.1), policy_of_tests())
    (link,) = linked([decided(decider, [0.987, *ROW[1:]])])
    object.__setattr__(link, "hash", None)
    with pytest.raises(RecordUnavailable) as raised:
        store.insert([link])
    assert "0.987" not in str(raised.value)
    assert "0.987" not in str(raised.value.__cause__)


def test_an_address_that_is_none_is_refused_without_being_quoted() -> None:
    with pytest.raises(SettingInvalid) as raised:
        open_engine("postgresql+psycopg2://user:very-secret@host:port:1/x")
    assert "very-secret" not in str(raised.value)
