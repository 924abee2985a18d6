"""Waiting for what a cluster does, which takes seconds and is asked over the network."""

from collections.abc import Callable
from typing import TypeVar

from harness import waiting

T = TypeVar("T")

BETWEEN_SECONDS = 0.5


def wait_until(look: Callable[[], T], holds: Callable[[T], bool], timeout_seconds: float, what: str) -> T:
    """As in harness.waiting, with fewer looks."""
    return waiting.wait_until(look, holds, timeout_seconds, what, BETWEEN_SECONDS)
