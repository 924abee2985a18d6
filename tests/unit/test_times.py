"""Moments are written and read to the microsecond, and months are those of UTC."""

import pytest
from hypothesis import given, strategies as st

from app.times import Month, microseconds, utc


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_moment_reads_back_to_the_microsecond(at: int) -> None:
    assert microseconds(utc(at)) == at


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:00.000000",
        "2026-01-31T13:00:00.000000+01:00",
        "2026-01-31 12:00:00.000000Z",
        "2026-01-31T12:00:00.0000000Z",
        "2026-01-31T12:00:00.+00001Z",
        "2026-01-31",
        "noon",
        "",
    ],
)
def test_a_moment_that_is_written_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not as utc writes it|Invalid isoformat string|invalid literal for int"):
        microseconds(text)


def test_months_count_over_the_turn_of_a_year() -> None:
    assert [str(Month(2026, 11).plus(it)) for it in (-11, -10, 0, 1, 2)] == [
        "2025-12",
        "2026-01",
        "2026-11",
        "2026-12",
        "2027-01",
    ]
    assert Month.of(Month(2027, 1).start) == Month(2027, 1)
    assert Month.of(Month(2027, 1).start - 1) == Month(2026, 12)
