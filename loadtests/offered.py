"""What became of requests that were offered at a rate."""

from collections import Counter
from dataclasses import dataclass, field

GOOD, SHED, SILENT, NOT_SENT, LOST = "good", "shed", "not answered", "not sent", "connection lost"


@dataclass(slots=True)
class Offered:
    """What became of the requests of a run."""

    rate: float
    seconds: float
    outcomes: Counter[str] = field(default_factory=Counter)
    """good: 2xx; shed: 503 with Retry-After; not sent: no connection was free; any other status by its number."""
    latencies: list[float] = field(default_factory=list)
    """Seconds, of the good ones, from when each was due."""
    good_in_time: int = 0
    """Answered before the last one was offered."""

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return self.good_in_time / self.seconds

    def share(self, outcome: str) -> float:
        return self.outcomes[outcome] / self.outcomes.total()

    def percentile_ms(self, share: float) -> float | None:
        """Of the good answers; None when there is none."""
        return 1e3 * sorted(self.latencies)[int(share * (len(self.latencies) - 1))] if self.latencies else None
