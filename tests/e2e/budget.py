"""A pytest plugin that bounds how long a run takes: tests that would begin after that are left out, and named."""

import time

import pytest

LEFT_OUT = pytest.StashKey[list[str]]()
ENDS_AT = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--budget-seconds", type=float, help="begin no test later than this after the start; default: any")


def pytest_configure(config: pytest.Config) -> None:
    seconds = config.getoption("budget_seconds")
    config.stash[ENDS_AT] = float("inf") if seconds is None else time.monotonic() + seconds
    config.stash[LEFT_OUT] = []


# Before any fixture is made, because making one can take minutes.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() >= item.config.stash[ENDS_AT]:
        item.config.stash[LEFT_OUT].append(item.nodeid)
        pytest.skip("the time for this run is used up")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash[LEFT_OUT]:
        terminalreporter.section(f"{len(left_out)} tests left out after {config.getoption('budget_seconds'):g} s")
        for name in left_out:
            terminalreporter.line(name)
