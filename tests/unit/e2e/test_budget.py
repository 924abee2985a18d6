"""A run that has used up its time begins no further test, and names those that it left out."""

import time

import pytest

pytest_plugins = ["pytester"]

TESTS = """
def test_first():
    pass

def test_second():
    assert False
"""


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(TESTS)
    return pytester.runpytest_inprocess("-p", "tests.e2e.budget", *arguments)


def test_what_no_longer_fits_is_left_out_and_named(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--until", str(time.time()))
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*2 tests left out*", "*::test_first", "*::test_second"])


def test_a_run_with_time_left_leaves_nothing_out(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--until", str(time.time() + 3600))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*left out*")


def test_a_run_without_a_budget_leaves_nothing_out(pytester: pytest.Pytester) -> None:
    run(pytester).assert_outcomes(passed=1, failed=1)
