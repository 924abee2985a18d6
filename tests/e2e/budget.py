"""A pytest plugin that bounds how long a run takes: tests that would begin too late are left out, and named."""

import time

import pytest

LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "begin no test later than this moment, in seconds since 1970; default: begin every test"
    parser.addoption("--until", type=float, default=float("inf"), help=help)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = []


# Before any fixture is made, because making one can take minutes.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.time() >= item.config.getoption("until"):
        item.config.stash[LEFT_OUT].append(item.nodeid)
        pytest.skip("the time for this run is used up")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash[LEFT_OUT]:
        terminalreporter.section(f"{len(left_out)} tests left out: the time for this run is used up")
        for name in left_out:
            terminalreporter.line(name)
