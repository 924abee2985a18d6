"""Moments as microseconds since 1970, how they are written, and the months of UTC."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

DAY = 86_400_000_000
"""In microseconds."""

SECONDS = len("2026-01-31T12:00:00")


def microseconds_now() -> int:
    """The present moment, microseconds since 1970."""
    return time.time_ns() // 1000


def utc(at: int) -> str:
    """at: microseconds since 1970. As 2026-01-31T12:00:00.000001Z."""
    return f"{_utc_seconds(at // 1_000_000)}.{at % 1_000_000:06d}Z"


def microseconds(text: str) -> int:
    """The inverse of utc. Raises ValueError."""
    at = _seconds(text[:SECONDS]) * 1_000_000 + int(text[SECONDS + 1 : -1])
    if utc(at) != text:
        raise ValueError(f"{text} is not as utc writes it")
    return at


def start_of_day(day: str) -> int | None:
    """The first moment of a day in UTC, as end_of_day."""
    end = end_of_day(day)
    return None if end is None else end - DAY


def end_of_day(day: str) -> int | None:
    """The first moment after a day in UTC, as 2026-01-31, in microseconds since 1970; None for what is no day."""
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1_000_000 + DAY
    except ValueError:
        return None


@lru_cache(maxsize=2)
def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@lru_cache(maxsize=2)
def _utc_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC, which the record's partitions and its retention are counted in."""

    year: int
    month: int

    @classmethod
    def of(cls, at: int) -> "Month":
        """The month of a moment. at: microseconds since 1970."""
        moment = datetime.fromtimestamp(at // 1_000_000, UTC)
        return cls(moment.year, moment.month)

    def plus(self, months: int) -> "Month":
        """That many months later, or earlier when the number is negative."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    @property
    def start(self) -> int:
        """Its first moment, microseconds since 1970."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1_000_000

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
