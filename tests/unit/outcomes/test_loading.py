"""Outcomes become signed links about accepted decisions, once each; corrections are further ones."""

from collections.abc import Sequence

import pytest

from app.audit.commands.verify import verify
from app.audit.store.outcome_rows import KnownOutcome, outcomes
from app.audit.store.repository import Store
from app.errors import OutcomesInvalid
from app.outcomes.given import Given
from app.outcomes.loading import Loaded, load_outcomes
from app.scoring.decider import Decider
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    SECOND,
    SIGNER,
    TRUST,
    decided,
    identifier,
    linked,
    policy_entry,
    policy_of_tests,
)

ACCEPTING = Decider(constant_model(0.01), policy_of_tests())
REFUSING = Decider(constant_model(0.3), policy_of_tests())


@pytest.fixture
def keys(store: Store) -> list[str]:
    """Three accepted decisions, the last two on one application, and one refused."""
    entries = [
        decided(ACCEPTING, at=NOON, application_id="A-1"),
        decided(ACCEPTING, at=NOON + SECOND, application_id="A-2"),
        decided(ACCEPTING, at=NOON + 2 * SECOND, application_id="A-2"),
        decided(REFUSING, at=NOON + 3 * SECOND, application_id="A-3"),
    ]
    store.insert(linked([policy_entry(), *entries]), SIGNER)
    return [it.key for it in entries]


def load(store: Store, given: Sequence[Given], done: list[int] | None = None) -> Loaded:
    told: list[int] = [] if done is None else done
    return load_outcomes(store, given, "outcomes.csv", "somebody", SIGNER, told.append)


def by_key(key: str, bad: int = 1, observed: str = "2026-10-01", line: int = 2) -> Given:
    return Given(line, key, None, bad, observed)


def by_application(name: str, bad: int = 0, observed: str = "2026-10-01", line: int = 2) -> Given:
    return Given(line, None, name, bad, observed)


def test_outcomes_are_kept_once_and_corrections_beside_what_they_correct(store: Store, keys: list[str]) -> None:
    done: list[int] = []
    assert load(store, [by_key(keys[0]), by_application("A-2")], done) == Loaded(2, 0, 0)
    assert sum(done) == 2
    assert load(store, [by_key(keys[0]), by_application("A-2")]) == Loaded(0, 0, 2)
    assert load(store, [by_key(keys[0], bad=0), by_application("A-2", observed="2026-10-02")]) == Loaded(0, 2, 0)
    found = outcomes(store)
    # The newest decision on an application is the one that the loan was paid out on.
    assert found == {keys[0]: KnownOutcome(0, "2026-10-01"), keys[2]: KnownOutcome(0, "2026-10-02")}
    assert outcomes(store, [keys[0], keys[1]]) == {keys[0]: KnownOutcome(0, "2026-10-01")}
    kept = [it.to_link().fields for it in store.entries(("outcome",), None, None)]
    assert [it["bad"] for it in kept if it["key"] == keys[0]] == [1, 0]
    assert {(it["by"], it["source"]) for it in kept} == {("somebody", "outcomes.csv")}


def test_the_record_proves_them(store: Store, keys: list[str]) -> None:
    load(store, [by_key(key) for key in keys[:3]])
    assert verify(store, None, None, [], lambda _: None, 0, TRUST).passed


def test_many_outcomes_are_one_chain(sqlite_store: Store) -> None:
    entries = [decided(ACCEPTING, at=NOON + at * SECOND) for at in range(4_500)]
    sqlite_store.insert(linked([policy_entry(), *entries]), SIGNER)
    assert load(sqlite_store, [by_key(it.key, at % 2, line=at + 2) for at, it in enumerate(entries)]).new == 4_500
    links = sqlite_store.entries(("outcome",), None, None)
    assert {it.writer for it in links} == {links[0].writer}
    assert sorted(it.sequence for it in links) == list(range(1, 4_501))
    assert verify(sqlite_store, None, None, [], lambda _: None, 0, TRUST).passed


def test_what_is_about_no_accepted_decision_is_refused_with_the_rest(store: Store, keys: list[str]) -> None:
    wrong = {
        "line 3: the record holds no decision of that id": by_key(identifier(NOON), line=3),
        "line 4: the record holds no accepted decision on that application": by_application("A-9", line=4),
        "line 5: the decision is a REJECT: without a loan there is no outcome": by_key(keys[3], line=5),
        "line 6: observed is before the decision": by_key(keys[1], observed="2026-09-20", line=6),
        "line 7: line 2 says otherwise of the same decision": by_key(keys[0], bad=0, line=7),
        "line 8: the record holds no accepted decision on that application": by_application("A-3", line=8),
    }
    with pytest.raises(OutcomesInvalid) as refused:
        load(store, [by_key(keys[0]), *wrong.values()])
    assert str(refused.value) == f"outcomes.csv, of which nothing was taken: {'; '.join(wrong)}"
    assert outcomes(store) == {}


def test_the_same_line_twice_is_one_outcome(store: Store, keys: list[str]) -> None:
    assert load(store, [by_key(keys[0]), by_key(keys[0], line=3)]) == Loaded(1, 0, 0)
