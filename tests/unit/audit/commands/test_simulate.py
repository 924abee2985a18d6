"""Another threshold is simulated on what was recorded, under the rules of each decision's own policy."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.audit.chain import Entry
from app.audit.commands.simulate import ChangedDecisions, Simulation, simulate
from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.scoring.decider import Decider
from app.scoring.policy import Policy
from tests.support.fakes import constant_model
from tests.support.records import NOON, ROW, SECOND, decided, linked, policy_entry, policy_of_tests

POLICY = policy_of_tests()


def decisions_with(*probabilities: float, age: float = 52.0, policy: Policy = POLICY, at: int = NOON) -> list[Entry]:
    """One decision a second for each probability."""
    row = [ROW[0], age, *ROW[2:]]
    made = (decided(Decider(constant_model(it), policy), row, at + n * SECOND) for n, it in enumerate(probabilities))
    return list(made)


def simulated(store: Store, threshold: float, most_ids: int = 10) -> Simulation:
    return simulate(store.decisions(None, None), store, threshold, most_ids, lambda _: None)


def test_both_directions_are_counted_and_named_in_the_order_of_time(store: Store) -> None:
    entries = decisions_with(0.01, 0.03, 0.04, 0.2, 0.3)
    store.insert(linked([policy_entry(), *entries]))
    stricter = simulated(store, 0.03)
    assert (stricter.decisions, stricter.approved_then, stricter.approved_now) == (5, 3, 1)
    assert stricter.swaps == [
        ChangedDecisions("ACCEPT", "REJECT", 2, [entries[1].key, entries[2].key]),
        ChangedDecisions("REJECT", "ACCEPT", 0, []),
    ]
    looser = simulated(store, 0.25)
    assert (looser.approved_then, looser.approved_now) == (3, 4)
    assert looser.swaps[1] == ChangedDecisions("REJECT", "ACCEPT", 1, [entries[3].key])


def test_the_threshold_of_the_day_changes_nothing(store: Store) -> None:
    store.insert(linked([policy_entry(), *decisions_with(0.01, POLICY.threshold, 0.2)]))
    found = simulated(store, POLICY.threshold)
    assert [it.decisions for it in found.swaps] == [0, 0]
    assert found.approved_then == found.approved_now == 1


def test_a_band_for_people_stays_below_the_other_threshold(store: Store) -> None:
    policy = replace(POLICY, review=0.02)
    store.insert(linked([policy_entry(policy=policy), *decisions_with(0.01, 0.03, 0.04, 0.2, policy=policy)]))
    looser = simulated(store, 0.25)
    assert (looser.approved_then, looser.approved_now) == (1, 1)
    assert [(it.then, it.now, it.decisions) for it in looser.swaps if it.decisions] == [("REJECT", "REVIEW", 1)]
    stricter = simulated(store, 0.035)
    assert [(it.then, it.now, it.decisions) for it in stricter.swaps if it.decisions] == [("REVIEW", "REJECT", 1)]


def test_a_rule_of_the_policy_refuses_at_any_threshold(store: Store) -> None:
    young = 17.0
    store.insert(linked([policy_entry(), *decisions_with(0.1, age=young), *decisions_with(0.1, at=NOON + SECOND)]))
    found = simulated(store, 0.9)
    assert (found.approved_now, found.swaps[1].decisions) == (1, 1)


def test_each_decision_is_simulated_under_its_own_policy(store: Store) -> None:
    without_rule = replace(POLICY, rules=())
    other = Entry("policy", without_rule.version, NOON, {"policy": without_rule.to_json()})
    assert without_rule.version != POLICY.version
    free = decisions_with(0.1, age=17.0, policy=without_rule, at=NOON + SECOND)
    store.insert(linked([policy_entry(), other, *decisions_with(0.1, age=17.0), *free]))
    assert simulated(store, 0.9).swaps[1] == ChangedDecisions("REJECT", "ACCEPT", 1, [free[0].key])


def test_only_so_many_ids_are_kept_and_the_rest_is_said(sqlite_store: Store) -> None:
    entries = decisions_with(0.2, 0.2, 0.2)
    sqlite_store.insert(linked([policy_entry(), *entries]))
    found = simulated(sqlite_store, 0.25, most_ids=2)
    assert (found.swaps[1].decisions, found.swaps[1].ids) == (3, [entries[0].key, entries[1].key])
    assert str(found).endswith(f"  {entries[1].key}\n  and 1 more")
    assert "3 decisions at a threshold of 0.25\napproved then  0 (0.00%)\napproved now   3 (100.00%)" in str(found)


def test_no_decision_has_no_share(sqlite_store: Store) -> None:
    assert str(simulated(sqlite_store, 0.5)).splitlines()[:2] == [
        "0 decisions at a threshold of 0.5",
        "approved then  0 (-)",
    ]


def test_progress_counts_every_decision(sqlite_store: Store) -> None:
    sqlite_store.insert(linked([policy_entry(), *decisions_with(0.01, 0.2)]))
    done: list[int] = []
    simulate(sqlite_store.decisions(None, None), sqlite_store, 0.1, 1, done.append)
    assert sum(done) == 2


def test_a_changed_decision_ends_the_simulation(store: Store) -> None:
    entries = decisions_with(0.01, 0.2)
    store.insert(linked([policy_entry(), *entries]))
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET content = replace(content, 'REJECT', 'ACCEPT')"))
    with pytest.raises(RecordInvalid, match=f"decision {entries[1].key}: its content does not have its hash"):
        simulated(store, 0.1)


def test_a_decision_whose_policy_is_not_in_the_record_ends_the_simulation(sqlite_store: Store) -> None:
    (entry,) = decisions_with(0.01)
    sqlite_store.insert(linked([entry]))
    missing = f"decision {entry.key}: the record does not hold policy {POLICY.version}"
    with pytest.raises(RecordInvalid, match=missing):
        simulated(sqlite_store, 0.1)


@pytest.mark.parametrize("changed", [{"probability": None}, {"decision": "PERHAPS"}, {"features": []}])
def test_what_is_no_decision_ends_the_simulation(sqlite_store: Store, changed: dict[str, object]) -> None:
    (entry,) = decisions_with(0.01)
    broken = Entry("decision", entry.key, entry.at, entry.fields | changed)
    sqlite_store.insert(linked([policy_entry(), broken]))
    with pytest.raises(RecordInvalid, match=f"decision {entry.key}: its content is no decision"):
        simulated(sqlite_store, 0.1)
