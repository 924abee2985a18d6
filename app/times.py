"""Months of UTC, which partitions and retention are counted in."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """Of the calendar."""

    year: int
    month: int

    @classmethod
    def of(cls, at: int) -> "Month":
        """at: microseconds since 1970."""
        moment = datetime.fromtimestamp(at // 1_000_000, UTC)
        return cls(moment.year, moment.month)

    def plus(self, months: int) -> "Month":
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    @property
    def start(self) -> int:
        """Its first moment, microseconds since 1970."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1_000_000

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
