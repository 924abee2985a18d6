"""Waiting for something to come true, with a deadline that says what was seen last."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BETWEEN_SECONDS = 0.02

PATIENCE_SECONDS = 300.0
"""What takes seconds on an idle machine may honestly take this long on a slow one that is busy."""


def wait_until(
    look: Callable[[], T],
    holds: Callable[[T], bool],
    timeout_seconds: float = PATIENCE_SECONDS,
    what: str = "",
    between_seconds: float = BETWEEN_SECONDS,
) -> T:
    """Look again and again until what is seen holds; gives it. An error counts as something seen.

    what: what is waited for, for the message.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            seen = look()
            if holds(seen):
                return seen
            last = repr(seen)
        except Exception as error:
            last = repr(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"{what + ': ' if what else ''}not within {timeout_seconds:g} s; seen last: {last}")
        time.sleep(between_seconds)
