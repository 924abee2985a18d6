"""What the generator prints becomes figures, unless an answer was no success."""

import json
from pathlib import Path

import pytest

from loadtests.bench.wrk import Burst, burst, require_wrk

URL = "http://127.0.0.1:8000/predict"
GOOD = {"requests": 5000, "microseconds": 2_000_000, "p50_microseconds": 1500, "p99_microseconds": 9000}


def printed(**errors: int) -> str:
    return "Running 2s test\n" + json.dumps(GOOD | {"refused": 0, "broken": 0} | errors) + "\n"


def test_the_last_line_has_the_figures() -> None:
    found = burst(printed(), URL)
    assert found == Burst(requests=5000, seconds=2.0, p50_ms=1.5, p99_ms=9.0)
    assert found.requests_per_second == 2500


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ({"refused": 3}, "of 5000 requests 3 were answered with an error"),
        ({"broken": 2}, "2 connections broke"),
        ({"requests": 0}, "of 0 requests"),
    ],
)
def test_an_answer_that_is_no_success_ends_the_run(errors: dict[str, int], said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        burst(printed(**errors), URL)


def test_a_machine_without_the_generator_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="wrk is not on PATH; install the package wrk"):
        require_wrk()
