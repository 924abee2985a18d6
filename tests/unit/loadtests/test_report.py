"""The benchmark's figures are medians of rounds, compared with the same round of another server."""

import pytest

from loadtests.bench.measuring import Line, Round
from loadtests.bench.report import as_json, picture, table


def line(server: str, *rates: float, load: str = "mix") -> Line:
    rounds = [Round(rate, 1e6 / rate, p50_ms=1.0, p99_ms=2.0) for rate in rates]
    return Line(server, load, rounds, resident_megabytes=64.4)


BARE = line("bare uvicorn", 20_000, 10_000, 15_000)
OURS = line("this service, record on", 10_000, 5_000, 6_000)
ACCEPTED = line("this service, record on", 11_000, 6_000, 7_000, load="accepted")
PEER = line("plain FastAPI", 1_000, 500, 1_000)
LINES = [BARE, ACCEPTED, OURS, PEER]


def test_a_line_is_the_median_of_its_rounds() -> None:
    assert OURS.requests_per_second == 6_000
    assert OURS.cpu_microseconds == pytest.approx(1e6 / 6_000)


def test_a_multiple_compares_rounds_that_were_run_together() -> None:
    assert OURS.times(BARE) == 0.5
    assert OURS.times(PEER) == 10


def test_the_table_has_a_row_a_line_and_says_what_was_left_out() -> None:
    rows = table(LINES, {"kserve": "no such version"}).splitlines()
    assert len({len(row) for row in rows[:-1]}) == 1
    assert [cell.strip() for cell in rows[5].split("|")[1:-1]] == [
        "plain FastAPI",
        "real mix",
        "1,000",
        "0.050",
        "10.0 times",
        "1,000",
        "1.00",
        "2.00",
        "64",
    ]
    assert rows[-1] == "not measured: kserve: no such version"


def test_json_holds_every_round_and_how_the_run_was() -> None:
    found = as_json(LINES, {}, rounds=3)
    assert found["run"] == {"rounds": 3}
    assert [it["of_bare"] for it in found["lines"]] == [1.0, 0.55, 0.5, 0.05]
    assert len(found["lines"][0]["rounds"]) == 3


def test_a_run_of_some_servers_has_no_ratio_to_what_was_not_run() -> None:
    assert "0.5" not in table([OURS, PEER], {})
    assert as_json([PEER], {})["lines"][0]["of_bare"] is None


def test_the_picture_is_small_enough_for_a_readme() -> None:
    found = picture(LINES)
    assert found.startswith(b"\x89PNG")
    assert len(found) < 60_000
