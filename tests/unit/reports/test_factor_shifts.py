"""Factors are compared with the first month's, over its deciles."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from app.audit.chain import Entry
from app.audit.store.repository import Store
from app.reports.factor_shifts import AT_ONCE, FactorShift, FactorShifts
from app.reports.performance import outcome_report
from app.scoring.decider import Decider
from harness.fields import CONTRACT
from tests.support.fakes import constant_model
from tests.support.records import NOON, SECOND, decided, linked, policy_entry, policy_of_tests, read_all

MONTH = 31 * 86_400 * SECOND
DECIDER = Decider(constant_model(0.04), policy_of_tests())


def applications(month: int, rows: Sequence[Sequence[float | None]]) -> list[Entry]:
    return [decided(DECIDER, list(row), NOON + month * MONTH + at * SECOND) for at, row in enumerate(rows)]


def shifts(store: Store, *months: Sequence[Sequence[float | None]]) -> list[FactorShift]:
    store.insert(linked([policy_entry(), *(it for at, rows in enumerate(months) for it in applications(at, rows))]))
    found = FactorShifts(CONTRACT)
    for it in read_all(store):
        found.add(it)
    return found.figures()


def aged(low: int, high: int, count: int = 400, income: float | None = 5400.0) -> list[list[float | None]]:
    ages = np.random.default_rng(low).integers(low, high, count)
    return [[0.31, float(age), 0.0, 0.36, income, 8.0, 0.0, 1.0, 0.0, 1.0] for age in ages]


def test_the_factor_that_moved_is_told(sqlite_store: Store) -> None:
    found = {it.factor: it.value for it in shifts(sqlite_store, aged(20, 60), aged(30, 70))}
    assert found["age"] > 0.25
    assert [name for name, value in found.items() if value > 0.01] == ["age"]
    assert list(found) == list(CONTRACT.factor_names)


def test_what_is_missing_is_a_part_of_its_own(sqlite_store: Store) -> None:
    found = {it.factor: it.value for it in shifts(sqlite_store, aged(20, 60), aged(20, 60, income=None))}
    assert found["income"] > 1
    assert found["age"] == pytest.approx(0)


def test_months_without_news_say_so(sqlite_store: Store) -> None:
    found = shifts(sqlite_store, aged(20, 60), aged(20, 60), aged(20, 60))
    assert {it.month for it in found} == {"2026-10", "2026-11"}
    assert max(it.value for it in found) == pytest.approx(0)


def test_of_one_month_there_is_nothing_to_compare(sqlite_store: Store) -> None:
    assert shifts(sqlite_store, aged(20, 60)) == []
    assert FactorShifts(CONTRACT).figures() == []


def test_many_rows_count_as_few_do(sqlite_store: Store) -> None:
    rows = aged(20, 60, AT_ONCE + 700)
    found = shifts(sqlite_store, rows, rows)
    assert max(it.value for it in found) == pytest.approx(0)
    assert len(found) == len(CONTRACT.factors)


def test_the_report_lists_those_worth_a_look(sqlite_store: Store) -> None:
    shifts(sqlite_store, aged(20, 60), aged(30, 70))
    report = outcome_report(read_all(sqlite_store), {}, sqlite_store, CONTRACT)
    assert [it.factor for it in report.moved] == ["age"]
    assert re.search(r"2026-10 +age +\d", str(report))


def test_applications_under_another_contract_are_passed_over(sqlite_store: Store) -> None:
    other = decided(DECIDER)
    other.fields["features"] = [1.0, 2.0]
    sqlite_store.insert(linked([policy_entry(), other]))
    assert shifts(sqlite_store, aged(20, 60), aged(20, 60)) != []
