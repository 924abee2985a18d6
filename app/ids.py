"""Ids of decisions and writers: UUIDv7 (RFC 9562), each greater than the one before, whatever the clock does."""

from collections.abc import Callable
from os import urandom

from app.times import microseconds_now

FRACTION = 4096
"""Parts of a millisecond that the 12 bits after the version count (method 3 of RFC 9562, section 6.2)."""

POOL_BYTES = 4096

VARIANT = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}
"""By a random digit: the first digit of the fourth group, two of whose bits are 0b10."""


class RandomHex:
    """Random hexadecimal digits from the operating system, which is asked for many at a time.

    Not shared between threads. A process that forks would give its digits twice.
    """

    def __init__(self) -> None:
        self._pool = ""
        self._taken = 0

    def take(self, digits: int) -> str:
        """The next digits, each given once. digits: how many, at most 2 * POOL_BYTES."""
        if (end := self._taken + digits) > len(self._pool):
            self._pool, self._taken, end = urandom(POOL_BYTES).hex(), 0, digits
        start, self._taken = self._taken, end
        return self._pool[start:end]


class Ids:
    """Gives one UUIDv7 after another, each greater than the one before; not shared between threads.

    The moment in an id is at least one part later than that of the id before: while a clock that was set back catches
    up, and when more than 4096 ids are wanted in a millisecond, the parts are a counter.
    clock: microseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int] = microseconds_now) -> None:
        self._clock = clock
        self._last = -1
        self._random = RandomHex()
        self._milliseconds = -1
        self._begin = ""
        """Of every id of that millisecond."""

    def next(self) -> str:
        """The next id, in the usual form of a UUID."""
        self._last = max(self._last + 1, self._clock() * FRACTION // 1000)
        milliseconds, part = divmod(self._last, FRACTION)
        if milliseconds != self._milliseconds:
            moment = f"{milliseconds:012x}"
            self._milliseconds, self._begin = milliseconds, f"{moment[:8]}-{moment[8:]}-7"
        digits = self._random.take(16)
        return f"{self._begin}{part:03x}-{VARIANT[digits[0]]}{digits[1:4]}-{digits[4:]}"
