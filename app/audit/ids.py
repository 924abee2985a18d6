"""Ids of decisions and writers: UUIDv7 (RFC 9562), each greater than the one before, whatever the clock does."""

import time
from collections.abc import Callable
from secrets import randbits

VERSION = 7
VARIANT = 0b10

RANDOM_BITS = 62
FRACTION = 4096
"""Parts of a millisecond that the 12 bits after the version count (method 3 of RFC 9562, section 6.2)."""


def microseconds_now() -> int:
    """Since 1970."""
    return time.time_ns() // 1000


class Ids:
    """Gives one id after another; not shared between threads.

    The moment in an id is at least one part later than that of the id before: while a clock that was set back catches
    up, and when more than 4096 ids are wanted in a millisecond, the parts are a counter.
    clock: microseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int] = microseconds_now) -> None:
        self._clock = clock
        self._last = -1

    def next(self) -> str:
        milliseconds, microseconds = divmod(self._clock(), 1000)
        self._last = max(self._last + 1, milliseconds * FRACTION + microseconds * FRACTION // 1000)
        milliseconds, part = divmod(self._last, FRACTION)
        digits = f"{milliseconds:012x}{VERSION:x}{part:03x}{VARIANT << RANDOM_BITS | randbits(RANDOM_BITS):016x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
