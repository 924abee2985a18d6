"""A request that names itself is one server's to answer, and is answered the same by all."""

from concurrent.futures import ThreadPoolExecutor

from app.audit.store.answers import ANSWERING, KEPT, Asked, Standing, claim, give_up, keep
from app.audit.store.repository import Store
from app.audit.store.retention import retain
from app.times import Month, microseconds_now
from tests.support.records import NOON, SECOND


def asked(store: Store, claimant: str = "a", now: int = NOON, body: str = "body") -> Asked:
    return claim(store, "key", body, claimant, now)


def test_the_first_who_asks_is_to_answer_and_others_wait(store: Store) -> None:
    assert asked(store) == Asked(Standing.NEW)
    assert asked(store, "b") == Asked(Standing.UNDER_WAY)
    assert keep(store, "key", "a", "answer")
    assert asked(store, "b") == asked(store) == Asked(Standing.ANSWERED, "answer")
    assert asked(store, "b", body="other") == Asked(Standing.OTHER_BODY)


def test_of_many_who_ask_at_once_one_is_to_answer(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda it: asked(store, str(it)).standing, range(24)))
    assert sorted(it.value for it in found) == ["new", *["under way"] * 23]


def test_what_was_given_up_is_asked_anew(store: Store) -> None:
    asked(store)
    give_up(store, "key", "b")
    assert asked(store, "b") == Asked(Standing.UNDER_WAY)
    give_up(store, "key", "a")
    assert asked(store, "b") == Asked(Standing.NEW)


def test_a_server_that_died_is_replaced_and_its_answer_comes_too_late(store: Store) -> None:
    asked(store)
    assert asked(store, "b", NOON + ANSWERING) == Asked(Standing.UNDER_WAY)
    assert asked(store, "b", NOON + ANSWERING + 1) == Asked(Standing.NEW)
    assert not keep(store, "key", "a", "late")
    assert keep(store, "key", "b", "answer")
    assert asked(store, "c", NOON + ANSWERING + SECOND) == Asked(Standing.ANSWERED, "answer")


def test_after_a_day_a_key_is_a_new_one(store: Store) -> None:
    asked(store)
    keep(store, "key", "a", "answer")
    assert asked(store, "b", NOON + KEPT).standing == Standing.ANSWERED
    assert asked(store, "b", NOON + KEPT + 1, "other body") == Asked(Standing.NEW)


def test_retention_takes_answers_away_after_a_day(store: Store) -> None:
    now = microseconds_now()
    claim(store, "old", "body", "a", now - KEPT - SECOND)
    claim(store, "young", "body", "a", now)
    retain(store, Month.of(now), 25)
    assert claim(store, "old", "body", "b", now) == Asked(Standing.NEW)
    assert claim(store, "young", "body", "b", now) == Asked(Standing.UNDER_WAY)
