from hashlib import sha256

import pytest

from app.callers.known import Callers
from tests.support.fakes import caller

CALLERS = Callers(
    (caller("first", "one", "predict"), caller("second", "two", "read"), caller("first", "three", "read"))
)


@pytest.mark.parametrize(("key", "index"), [("one", 0), ("two", 1), ("three", 2)])
def test_a_caller_is_found_by_any_of_their_keys(key: str, index: int) -> None:
    assert CALLERS.find(key.encode()) is CALLERS.known[index]


@pytest.mark.parametrize(
    "key", [b"", b"One", b"one ", b"\xff", sha256(b"one").digest(), sha256(b"one").hexdigest().encode()]
)
def test_nothing_but_the_key_itself_finds_anybody(key: bytes) -> None:
    assert CALLERS.find(key) is None


def test_nobody_is_found_where_nobody_may_ask() -> None:
    assert Callers(()).find(b"one") is None
