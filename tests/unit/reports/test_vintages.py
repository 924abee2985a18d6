"""Vintage curves grow with the age of a month's decisions, and end where nothing is known yet."""

import pytest

from app.audit.store.outcome_rows import KnownOutcome
from app.reports.vintages import VintageCounts, months_between


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [("2026-01", "2026-01-31", 0), ("2025-11", "2026-02-01", 3), ("2024-12", "2026-12", 24)],
)
def test_months_are_counted_over_years(first: str, last: str, months: int) -> None:
    assert months_between(first, last) == months


def test_a_curve_ends_at_the_age_that_the_month_has_reached() -> None:
    counts = VintageCounts()
    for observed, bad in (("2025-03-10", 1), ("2025-07-01", 1), ("2026-01-15", 0), ("2026-01-20", 1)):
        counts.add("2025-01", KnownOutcome(bad, observed))
    counts.add("2025-10", KnownOutcome(0, "2026-01-02"))
    first, second = counts.figures()
    assert (first.month, first.outcomes) == ("2025-01", 4)
    assert first.bad_within == [0.25, 0.5, 0.5, 0.75]
    assert (second.month, second.bad_within) == ("2025-10", [0.0])


def test_without_outcomes_there_is_no_curve() -> None:
    assert VintageCounts().figures() == []
