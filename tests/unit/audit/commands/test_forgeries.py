"""Whoever may write to the database, and has no key, cannot change what the record says without being found."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, text

from app.audit.chain import Link
from app.audit.commands.replay import Deciders, replay
from app.audit.commands.verify import Verified, verify
from app.audit.signing import Signer, Trust
from app.audit.store.lookup import decision_of
from app.audit.store.repository import Store
from app.audit.store.retention import retain
from app.audit.store.schema.tables import decisions as decisions_table, dropped, heads
from app.errors import ModelMissing, RecordInvalid
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.times import DAY, Month
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    SECOND,
    SIGNER,
    TRUST,
    decided,
    decisions,
    identifier,
    linked,
    policy_entry,
    policy_of_tests as policy,
)


def verified(store: Store, trust: Trust = TRUST) -> Verified:
    return verify(store, None, None, [], lambda _: None, kept_from=Month.of(NOON).start, trust=trust)


def told(store: Store) -> list[str]:
    found = verified(store)
    assert not found.passed
    return [it.what for it in found.first]


@pytest.fixture
def links(store: Store) -> list[Link]:
    """An honest chain of this month, signed; verify finds nothing."""
    made = linked([policy_entry(), *decisions(4)])
    store.insert(made, SIGNER)
    assert verified(store).passed
    return made


def forget(store: Store, writer: str) -> None:
    with store.engine.begin() as connection:
        for table in ("decisions", "entries"):
            connection.execute(text(f"DELETE FROM {table} WHERE writer = :writer"), {"writer": writer})


def note(store: Store, links: list[Link], before: int) -> None:
    run = {"writer": links[0].writer, "first": 1, "last": len(links), "hash": links[-1].hash, "before": before}
    with store.engine.begin() as connection:
        connection.execute(insert(dropped).values(run))


@pytest.mark.parametrize("head", ["kept", "deleted"])
def test_decisions_of_today_cannot_be_explained_away_as_taken_in_2024(
    store: Store, links: list[Link], head: str
) -> None:
    forget(store, links[0].writer)
    if head == "deleted":
        with store.engine.begin() as connection:
            connection.execute(delete(heads))
    note(store, links, Month(2024, 9).start)
    problems = told(store)
    assert "retention is said to have taken it as older than its writer is" in problems
    assert "retention is said to have taken it (2024-09-01): nobody signed it" in problems


def test_an_old_writer_does_not_help_an_unsigned_note(store: Store) -> None:
    old = linked(decisions(3, NOON - 100 * DAY), identifier(NOON - 100 * DAY))
    store.insert(old, SIGNER)
    forget(store, old[0].writer)
    note(store, old, Month.of(NOON).start)
    assert told(store) == ["retention is said to have taken it (2026-09-01): nobody signed it"]


def test_a_note_is_of_whole_months_and_of_what_is_older_than_what_stays(store: Store, links: list[Link]) -> None:
    with store.engine.begin() as connection:
        connection.execute(delete(decisions_table).where(decisions_table.c.sequence <= 3))
    run = {"writer": links[0].writer, "first": 2, "last": 3, "hash": links[2].hash, "before": NOON + DAY}
    with store.engine.begin() as connection:
        connection.execute(insert(dropped).values(run))
    problems = told(store)
    assert "retention is said to have taken it from the middle of a month, and it takes whole ones" in problems
    assert "retention is said to have taken it, and a record beside it is older and still here" in problems


def test_what_retention_took_is_explained_by_its_signature(store: Store) -> None:
    october = Month(2026, 10)
    store.insert(linked([*decisions(2), *decisions(2, october.start)]), SIGNER)
    assert retain(store, Month(2026, 12), 2, SIGNER).links == 2
    found = verify(store, None, None, [], lambda _: None, kept_from=october.start, trust=TRUST)
    assert found.passed
    assert (found.links, found.taken, found.signed) == (2, 2, 1)


def test_an_id_is_one_decision(store: Store, links: list[Link]) -> None:
    true = links[1]
    forged = decided(Decider(constant_model(0.9), policy()), at=true.at - 1, key=true.key)
    store.insert(linked([forged]), SIGNER)
    assert told(store) == ["its id is another record's too, and an id is one decision"] * 2
    only = verify(store, NOON - 1, NOON + SECOND, [], lambda _: None, trust=TRUST)
    assert only.bad == 2
    with pytest.raises(RecordInvalid, match="more than once; credit audit verify says where"):
        decision_of(store, true.key)


def test_a_replay_says_that_an_id_is_taken_twice(store: Store, links: list[Link]) -> None:
    store.insert(linked([decided(Decider(constant_model(0.9), policy()), at=NOON - 1, key=links[1].key)]), SIGNER)

    def missing(_: str) -> ScoringModel:
        raise ModelMissing("not asked")

    replayed = replay(store.decisions(NOON - 1, NOON), Deciders(missing, store), lambda _: None, {links[1].key})
    assert "its id is another record's too" in replayed.first[0].what


def test_a_writer_that_never_was_is_found(store: Store, links: list[Link]) -> None:
    store.insert(linked(decisions(1)))
    assert told(store) == ["the end of its chain: nobody signed it"]


def test_a_writer_with_a_key_of_its_own_is_found(store: Store, links: list[Link]) -> None:
    store.insert(linked(decisions(1)), Signer(Ed25519PrivateKey.generate()))
    (problem,) = told(store)
    assert problem.startswith("the end of its chain: it is signed by a key that is not trusted")


def test_the_signature_of_another_chain_does_not_fit(store: Store, links: list[Link]) -> None:
    forged = linked(decisions(1))
    store.insert(forged)
    with store.engine.begin() as connection:
        taken = connection.execute(heads.select()).mappings().one()
        mine = {"writer": forged[0].writer, "sequence": 1, "hash": forged[0].hash}
        connection.execute(insert(heads).values({**taken, **mine}))
    assert told(store) == ["the end of its chain: its signature is not of what it says"]


def test_what_is_added_behind_the_signed_end_is_found(store: Store, links: list[Link]) -> None:
    honest_and_more = linked([policy_entry(), *decisions(5)], links[0].writer)
    forget(store, links[0].writer)
    store.insert(honest_and_more)
    assert "1 records after the signed end of its chain" in told(store)


def test_an_end_that_is_cut_off_is_missed(store: Store, links: list[Link]) -> None:
    with store.engine.begin() as connection:
        connection.execute(delete(decisions_table).where(decisions_table.c.sequence == len(links)))
    assert told(store) == ["the signed end of its chain names it, and it is missing"]


def test_a_chain_that_is_written_anew_is_found(store: Store, links: list[Link]) -> None:
    forget(store, links[0].writer)
    store.insert(linked([policy_entry(), *decisions(4, NOON + SECOND)], links[0].writer))
    assert told(store) == ["it is not the one that the signed end of its chain names"]


@pytest.mark.parametrize("column", ["request_id", "caller", "verdict", "application_id"])
def test_what_decisions_are_found_by_is_what_their_content_says(store: Store, links: list[Link], column: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE decisions SET {column} = 'other' WHERE sequence = 2"))
    assert told(store) == [f"its column {column} is not what its content says"]


def test_what_a_release_without_signatures_wrote_is_believed_up_to_a_day(store: Store) -> None:
    store.insert(linked([policy_entry(), *decisions(2)]))
    assert not verified(store).passed
    assert verified(store, Trust(frozenset(), signed_since=NOON + DAY)).passed
    assert not verified(store, Trust(frozenset(), signed_since=NOON - DAY)).passed


def test_the_end_that_is_signed_goes_forward_only(store: Store) -> None:
    links = linked(decisions(5))
    store.insert(links[:4], SIGNER)
    store.insert(links[:2], SIGNER)
    assert [it.sequence for it in store.heads()] == [4]
    store.insert(links[4:], SIGNER)
    assert [it.sequence for it in store.heads()] == [5]
    assert verified(store).passed
