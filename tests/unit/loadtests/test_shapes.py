"""Each shape has its number of users at each moment, and an end."""

import pytest

from loadtests.shapes import SHAPES, Shape, users_at


def over_time(shape: Shape, run_seconds: float) -> list[int | None]:
    return [users_at(shape, 20, run_seconds, run_seconds * tenth / 10) for tenth in range(10)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_is_over_when_its_time_is(shape: Shape) -> None:
    assert users_at(shape, 20, 60, 59.9) is not None
    assert users_at(shape, 20, 60, 60) is None


def test_a_constant_load_has_all_users_all_the_time() -> None:
    assert over_time("constant", 60) == [20] * 10
    assert users_at("constant", 20, float("inf"), 1e6) == 20


def test_a_ramp_adds_a_fifth_of_the_users_in_each_fifth_of_the_time() -> None:
    assert over_time("ramp", 100) == [4, 4, 8, 8, 12, 12, 16, 16, 20, 20]


def test_a_soak_rises_holds_and_rests() -> None:
    assert over_time("soak", 600) == [1, *[20] * 8, 2]


def test_a_short_soak_gives_a_quarter_of_its_time_to_each_edge() -> None:
    assert over_time("soak", 100) == [1, 8, 16, 20, 20, 20, 20, 20, 2, 2]
