"""How attempts to load a model, a policy or the callers end: counted, told once each, and kept for /meta."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Counter

from app.errors import CreditError, ModelRefused, ModelUnavailable, SettingInvalid

Outcome = Literal["loaded", "refused", "unavailable", "failed"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reload:
    """One attempt to load something."""

    outcome: Outcome
    at: float
    """Seconds since 1970."""
    reason: str | None


class Reloads:
    """The attempts for one source; `last` is None before the first.

    what: model, policy or callers. source: the URI or the file. counter: labelled by outcome.
    clock: seconds since 1970.
    """

    def __init__(self, what: str, source: str, counter: Counter, clock: Callable[[], float] = time.time) -> None:
        self.last: Reload | None = None
        self._what = what
        self._source = source
        self._counter = counter
        self._clock = clock

    def loaded(self) -> None:
        self._ended("loaded", None)

    def failed(self, error: Exception) -> None:
        outcome: Outcome = "failed"
        if isinstance(error, ModelUnavailable):
            outcome = "unavailable"
        elif isinstance(error, ModelRefused | SettingInvalid):
            outcome = "refused"
        # Only our own errors have texts for an operator; others are in the log with their traceback.
        foreign = not isinstance(error, CreditError)
        reason = f"unexpected {type(error).__name__}; see the log" if foreign else str(error)
        if foreign or self.last is None or (self.last.outcome, self.last.reason) != (outcome, reason):
            level = logging.ERROR if outcome in ("refused", "failed") else logging.WARNING
            log.log(
                level,
                f"{self._what} not loaded",
                extra={"outcome": outcome, "reason": reason, "source": self._source},
                exc_info=error if foreign else None,
            )
        self._ended(outcome, reason)

    def _ended(self, outcome: Outcome, reason: str | None) -> None:
        self._counter.labels(outcome).inc()
        self.last = Reload(outcome, self._clock(), reason)
