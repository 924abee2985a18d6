"""Which model serves, and how the last attempt to load one ended."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.errors import CreditError, ModelRefused, ModelUnavailable
from app.metrics import Metrics, ModelMetrics
from app.scoring.model import ScoringModel
from app.settings import Settings

Outcome = Literal["loaded", "refused", "unavailable", "failed"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A model in service with all that an answer needs: taken once a request, it cannot change underneath it."""

    model: ScoringModel
    metrics: ModelMetrics
    threshold: float
    uri: str
    """As it was configured."""
    loaded_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Reload:
    """One attempt to load a model."""

    outcome: Outcome
    at: float
    """Seconds since 1970."""
    reason: str | None


class Holder:
    """Holds the model in service; `serving` is None until there is one.

    clock: seconds since 1970.
    """

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self.serving: Serving | None = None
        self.last_reload: Reload | None = None
        self._uri = settings.mlflow.model_uri
        self._threshold = settings.decision.threshold
        self._metrics = metrics
        self._clock = clock

    def take(self, model: ScoringModel) -> None:
        """Serve that model from the next request on."""
        now = self._clock()
        identity = model.identity
        serving = self.serving
        if serving is None or serving.model.identity != identity:
            alias = self._uri.rpartition("@")[2] if "@" in self._uri else ""
            metrics = self._metrics.serve(model, alias, now)
            self.serving = Serving(model, metrics, self._threshold, self._uri, now)
            log.info("model loaded", extra={"model": identity.name, "model_version": identity.version})
        self._ended("loaded", None)

    def keep(self, error: Exception) -> None:
        """Keep what serves: this error came instead of a model."""
        outcome: Outcome = "failed"
        if isinstance(error, ModelUnavailable):
            outcome = "unavailable"
        elif isinstance(error, ModelRefused):
            outcome = "refused"
        # Only our own errors have texts for an operator; others are in the log with their traceback.
        foreign = not isinstance(error, CreditError)
        reason = f"unexpected {type(error).__name__}; see the log" if foreign else str(error)
        before = self.last_reload
        if foreign or before is None or (before.outcome, before.reason) != (outcome, reason):
            level = logging.ERROR if outcome in ("refused", "failed") else logging.WARNING
            log.log(
                level,
                "model not loaded",
                extra={"outcome": outcome, "reason": reason, "model_uri": self._uri},
                exc_info=error if foreign else None,
            )
        self._ended(outcome, reason)

    def _ended(self, outcome: Outcome, reason: str | None) -> None:
        self._metrics.model_reloads.labels(outcome).inc()
        self.last_reload = Reload(outcome, self._clock(), reason)
