"""A run is judged by its share of errors and by the p95 of its decisions."""

from dataclasses import replace

import pytest

from loadtests.objective import Figures, Objective, missed, summary

OBJECTIVE = Objective(max_error_ratio=0.001, max_p95_ms=100)
GOOD = Figures(requests=10_000, errors=10, requests_per_second=166.7, p50_ms=4, p95_ms=100, p99_ms=150)


def test_the_objective_is_met_up_to_its_very_bounds() -> None:
    assert missed(GOOD, OBJECTIVE) == []
    assert "objective met" in summary(GOOD, OBJECTIVE)


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        (replace(GOOD, errors=11), "0.110% of the requests failed; 0.100% may"),
        (replace(GOOD, p95_ms=101), "the p95 of POST /predict is 101 ms; it may be 100 ms"),
    ],
)
def test_more_errors_or_slower_decisions_miss_it(worse: Figures, reason: str) -> None:
    assert missed(worse, OBJECTIVE) == [reason]
    assert f"objective missed    {reason}" in summary(worse, OBJECTIVE)


def test_both_can_be_missed_at_once() -> None:
    assert len(missed(replace(GOOD, errors=11, p95_ms=101), OBJECTIVE)) == 2


def test_a_run_without_any_decision_misses_it() -> None:
    nothing = Figures(requests=0, errors=0, requests_per_second=0.0, p50_ms=None, p95_ms=None, p99_ms=None)
    assert missed(nothing, OBJECTIVE) == ["no decision was measured"]
    assert "-/-/- ms" in summary(nothing, OBJECTIVE)


def test_the_summary_shows_every_figure() -> None:
    assert summary(GOOD, OBJECTIVE).splitlines() == [
        "requests            10000 (166.7 a second)",
        "p50/p95/p99         4/100/150 ms of POST /predict",
        "errors              10 (0.100%)",
        "objective met",
    ]
