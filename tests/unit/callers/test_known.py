import hmac
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


@pytest.mark.parametrize("key", [b"one", b"three", b"none of them"])
def test_every_callers_hash_is_compared_whoever_is_found(key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    really = hmac.compare_digest

    def watched(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return really(left, right)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    CALLERS.find(key)
    assert compared == [(sha256(key).digest(), it.digest) for it in CALLERS.known]


def test_nobody_is_found_where_nobody_may_ask() -> None:
    assert Callers(()).find(b"one") is None
