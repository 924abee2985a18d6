"""Ids are UUIDs of version 7 that only ever grow."""

from uuid import RFC_4122, UUID

from hypothesis import given, strategies as st

from app.ids import POOL_BYTES, Ids, RandomHex
from app.times import microseconds_now

moments = st.integers(min_value=0, max_value=4_000_000_000_000_000)


def ids_at(readings: list[int]) -> list[str]:
    """One id at each reading of a clock."""
    following = iter(readings)
    ids = Ids(lambda: next(following))
    return [ids.next() for _ in readings]


@given(st.lists(moments, min_size=1, max_size=50))
def test_each_id_is_greater_than_the_one_before_whatever_the_clock_says(readings: list[int]) -> None:
    found = ids_at(readings)
    assert found == sorted(set(found))


@given(st.lists(moments, min_size=1, max_size=50))
def test_every_id_is_a_uuid_of_version_7_in_its_canonical_form(readings: list[int]) -> None:
    for text in ids_at(readings):
        assert (UUID(text).version, UUID(text).variant, str(UUID(text))) == (7, RFC_4122, text)


@given(moments)
def test_an_id_begins_with_the_milliseconds_of_its_moment(at: int) -> None:
    assert UUID(ids_at([at])[0]).int >> 80 == at // 1000


@given(moments, st.integers(min_value=1, max_value=1_000_000_000))
def test_a_clock_that_is_set_back_stops_the_moment_and_not_the_ids(at: int, back: int) -> None:
    first, second, third = ids_at([at, max(0, at - back), max(0, at - back)])
    assert first < second < third
    assert UUID(third).int >> 80 <= at // 1000 + 1


def test_more_ids_than_a_millisecond_has_parts_borrow_from_the_next() -> None:
    found = ids_at([1_700_000_000_000_000] * 10_000)
    assert found == sorted(set(found))
    assert UUID(found[-1]).int >> 80 <= 1_700_000_000_000 + 3


def test_two_processes_that_ask_at_the_same_moment_get_different_ids() -> None:
    at = microseconds_now()
    assert len({ids_at([at])[0] for _ in range(100)}) == 100


@given(st.lists(st.integers(min_value=1, max_value=64), min_size=200, max_size=400))
def test_random_digits_are_as_many_as_asked_for_and_never_given_twice(wanted: list[int]) -> None:
    random = RandomHex()
    found = [random.take(digits) for digits in wanted]
    assert [len(it) for it in found] == wanted
    long = [it for it in found if len(it) >= 16]
    assert len(set(long)) == len(long)


def test_a_pool_that_is_used_up_is_filled_again() -> None:
    random = RandomHex()
    pools = [random.take(2 * POOL_BYTES) for _ in range(3)]
    assert len(set(pools)) == 3
