"""The report joins decisions with their outcomes, by month and version."""

from collections.abc import Iterable

import numpy as np
import pytest
from sqlalchemy import text

from app.audit.chain import Entry
from app.audit.commands.verify import verify
from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.repository import Store
from app.audit.store.review_rows import Review
from app.errors import RecordInvalid
from app.reports.kept_reports import OUTCOMES, keep_report, latest_report
from app.reports.outcome_tables import ACCEPTED_ONLY, OutcomeReport
from app.reports.performance import outcome_report
from app.scoring.decider import Decider
from harness.fields import CONTRACT
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    ROW,
    SECOND,
    SIGNER,
    TRUST,
    challenged,
    decided,
    linked,
    policy_entry,
    policy_of_tests,
    read_all,
)

MONTH = 31 * 86_400 * SECOND


def kept(store: Store, entries: Iterable[Entry]) -> None:
    store.insert(linked([policy_entry(), *entries]), SIGNER)


def reported(store: Store, known: dict[str, KnownOutcome], by_people: dict[str, Review] | None = None) -> OutcomeReport:
    done: list[int] = []
    found = outcome_report(read_all(store, by_people, done.append), known, store, CONTRACT)
    assert sum(done) == store.count(None, None)
    return found


def test_months_and_versions_are_told_apart(store: Store) -> None:
    one, two = (Decider(constant_model(0.04, version), policy_of_tests()) for version in ("9", "10"))
    refusing = Decider(constant_model(0.5, "9"), policy_of_tests())
    entries = [decided(one, at=NOON + at * SECOND) for at in range(100)]
    entries += [decided(refusing, at=NOON + (200 + at) * SECOND) for at in range(100)]
    entries += [decided(two, at=NOON + at * SECOND) for at in range(50)]
    entries += [decided(two, at=NOON + MONTH + at * SECOND) for at in range(50)]
    kept(store, entries)
    known = {it.key: KnownOutcome(int(at < 10), "2026-12-01") for at, it in enumerate(entries[:100])}
    # Of a refused applicant there is none, whatever the record says.
    known[entries[150].key] = KnownOutcome(1, "2026-12-01")
    found = reported(store, known)
    assert [(it.month, it.version, it.decisions) for it in found.periods] == [
        ("2026-09", "9", 200),
        ("2026-09", "10", 50),
        ("2026-10", "10", 50),
    ]
    first = found.periods[0]
    assert (first.approval_rate, first.outcomes, first.bad_rate.value) == (0.5, 100, 0.1)
    assert first.expected_bad_rate == pytest.approx(0.04)
    assert first.off
    assert found.periods[1].outcomes == 0
    assert not found.periods[1].off
    assert list(found.bands) == ["9"]
    told = str(found)
    assert "4.00% off" in told
    assert told.endswith(ACCEPTED_ONLY)
    assert found.to_json()["periods"][0]["bad_rate"]["value"] == 0.1


def test_a_model_that_is_right_is_not_called_off(sqlite_store: Store) -> None:
    random = np.random.default_rng(3)
    entries = []
    for at in range(4_000):
        decider = DECIDERS[at % len(DECIDERS)]
        entries.append(decided(decider, at=NOON + at * SECOND))
    kept(sqlite_store, entries)
    known = {it.key: KnownOutcome(int(random.random() < it.fields["probability"]), "2026-12-01") for it in entries}
    found = reported(sqlite_store, known)
    (period,) = found.periods
    assert not period.off
    assert period.auc.low <= period.expected_auc <= period.auc.high


DECIDERS = [Decider(constant_model(probability), policy_of_tests()) for probability in (0.005, 0.015, 0.03, 0.045)]


def test_the_latest_months_with_outcomes_are_watched_together(sqlite_store: Store) -> None:
    random = np.random.default_rng(3)
    entries = []
    for at in range(5_000):
        entries.append(decided(DECIDERS[at % len(DECIDERS)], at=NOON + (at // 1_000) * MONTH + at * SECOND))
    kept(sqlite_store, entries)
    # The last month has no outcome yet, and the first one is too long ago.
    known = {
        it.key: KnownOutcome(int(at < 1_000 or random.random() < it.fields["probability"]), "2027-06-01")
        for at, it in enumerate(entries[:4_000])
    }
    (seen,) = reported(sqlite_store, known).watched
    assert (seen.version, seen.first, seen.last, seen.outcomes) == ("1", "2026-10", "2026-12", 3_000)
    assert seen.findings == []
    worse = {key: KnownOutcome(int(at % 12 == 0), "2027-06-01") for at, key in enumerate(known)}
    (seen,) = reported(sqlite_store, worse).watched
    assert seen.miscalibrated
    assert seen.ranks_worse
    assert [it.partition(",")[0] for it in seen.findings] == [
        "2.38% bad were expected",
        f"a ROC AUC of {seen.expected_auc:.4f} was expected",
    ]


def test_a_kept_report_is_read_back_as_it_was(store: Store) -> None:
    assert latest_report(store, OUTCOMES) is None
    entries = [decided(DECIDERS[0], at=NOON + at * SECOND) for at in range(30)]
    kept(store, entries)
    first = reported(store, {})
    second = reported(store, {it.key: KnownOutcome(int(at == 0), "2026-12-01") for at, it in enumerate(entries)})
    for report in (first, second):
        keep_report(store, OUTCOMES, report, SIGNER)
    latest = latest_report(store, OUTCOMES)
    assert latest is not None
    assert (str(latest[1]), latest[1].bands) == (str(second), second.bands)
    assert verify(store, None, None, [], lambda _: None, 0, TRUST).passed


def test_a_report_that_was_changed_is_not_believed(sqlite_store: Store) -> None:
    keep_report(sqlite_store, OUTCOMES, reported(sqlite_store, {}), SIGNER)
    with sqlite_store.engine.begin() as connection:
        connection.execute(text("UPDATE entries SET content = replace(content, 'periods', 'months')"))
    with pytest.raises(RecordInvalid, match="does not have its hash"):
        latest_report(sqlite_store, OUTCOMES)


def test_an_empty_record_has_an_empty_report(sqlite_store: Store) -> None:
    assert reported(sqlite_store, {}).periods == []


def test_a_decision_that_was_changed_ends_the_report(sqlite_store: Store) -> None:
    kept(sqlite_store, [decided(DECIDERS[0])])
    with sqlite_store.engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET content = replace(content, '0.005', '0.004')"))
    with pytest.raises(RecordInvalid, match="is not what was written"):
        reported(sqlite_store, {})


def test_a_challenger_is_compared_on_the_same_decisions(store: Store) -> None:
    one, refusing = (Decider(constant_model(it, "3"), policy_of_tests()) for it in (0.04, 0.2))
    entries = [decided(one, at=NOON + at * SECOND) for at in range(60)]
    entries += [decided(refusing, at=NOON + (100 + at) * SECOND) for at in range(30)]
    entries.append(decided(one, at=NOON + 200 * SECOND))
    # The challenger refuses twenty of the accepted, half of whom default, and accepts ten of the refused.
    scores = [0.3] * 20 + [0.01] * 40 + [0.01] * 10 + [0.4] * 20
    kept(store, [*entries, *(challenged(it, score) for it, score in zip(entries, scores, strict=False))])
    known = {it.key: KnownOutcome(int(at < 10), "2026-12-01") for at, it in enumerate(entries[:60])}
    report = reported(store, known)
    (pair,) = report.challenged
    assert (pair.version, pair.challenger, pair.decisions, pair.outcomes) == ("3", "9", 90, 60)
    assert (pair.swapped_out, pair.swapped_out_bad.value, pair.swapped_in) == (20, 0.5, 10)
    assert pair.auc.value == 0.5
    assert pair.challenger_auc.value == pytest.approx(0.9)
    assert pair.brier == pytest.approx((10 * 0.96**2 + 50 * 0.04**2) / 60)
    assert "only challenger accepts" in str(report)


def test_a_rule_refuses_whatever_a_challenger_says(sqlite_store: Store) -> None:
    under_age = decided(DECIDERS[0], [ROW[0], 17.0, *ROW[2:]])
    assert under_age.fields["decision"] == "REJECT"
    kept(sqlite_store, [under_age, challenged(under_age, 0.01)])
    (pair,) = reported(sqlite_store, {}).challenged
    assert (pair.swapped_out, pair.swapped_in) == (0, 0)
