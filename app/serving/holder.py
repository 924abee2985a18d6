"""Which model serves under which policy, and how the last attempts to load either ended."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from app.errors import CreditError, ModelRefused, ModelUnavailable, PolicyInvalid
from app.metrics import Metrics, ModelMetrics
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.scoring.policy import Policy
from app.settings import Settings

Outcome = Literal["loaded", "refused", "unavailable", "failed"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Model and policy in service with all that an answer needs: taken once a request, it cannot change underneath."""

    decider: Decider
    metrics: ModelMetrics
    uri: str
    """As it was configured."""
    loaded_at: float
    """When the model was, in seconds since 1970."""

    @property
    def model(self) -> ScoringModel:
        return self.decider.model

    @property
    def policy(self) -> Policy:
        return self.decider.policy


@dataclass(frozen=True, slots=True)
class Reload:
    """One attempt to load a model or a policy."""

    outcome: Outcome
    at: float
    """Seconds since 1970."""
    reason: str | None


class Holder:
    """Holds the model in service and the policy in force; `serving` is None until there is a model.

    clock: seconds since 1970.
    """

    def __init__(
        self, settings: Settings, policy: Policy, metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self.serving: Serving | None = None
        self.policy = policy
        self.last_reload: Reload | None = None
        self.last_policy_reload: Reload | None = None
        self._uri = settings.mlflow.model_uri
        self._metrics = metrics
        self._clock = clock
        metrics.describe_policy(policy)

    def take(self, model: ScoringModel) -> None:
        """Serve that model from the next request on."""
        now = self._clock()
        identity = model.identity
        serving = self.serving
        if serving is None or serving.model.identity != identity:
            alias = self._uri.rpartition("@")[2] if "@" in self._uri else ""
            metrics = self._metrics.serve(model, alias, now)
            self.serving = Serving(Decider(model, self.policy), metrics, self._uri, now)
            log.info("model loaded", extra={"model": identity.name, "model_version": identity.version})
        self._ended("loaded", None)

    def keep(self, error: Exception) -> None:
        """Keep what serves: this error came instead of a model."""
        outcome, reason = _told("model", error, self.last_reload, model_uri=self._uri)
        self._ended(outcome, reason)

    def take_policy(self, policy: Policy) -> None:
        """Decide by that policy from the next request on."""
        if policy != self.policy:
            if self.serving is not None:
                self.serving = replace(self.serving, decider=Decider(self.serving.model, policy))
            self.policy = policy
            self._metrics.describe_policy(policy)
            log.info("policy loaded", extra={"policy_version": policy.version, "threshold": policy.threshold})
        self._policy_ended("loaded", None)

    def keep_policy(self, error: Exception) -> None:
        """Keep the policy in force: this error came instead of another."""
        outcome, reason = _told("policy", error, self.last_policy_reload, policy_version=self.policy.version)
        self._policy_ended(outcome, reason)

    def _policy_ended(self, outcome: Outcome, reason: str | None) -> None:
        self._metrics.policy_reloads.labels(outcome).inc()
        self.last_policy_reload = Reload(outcome, self._clock(), reason)

    def _ended(self, outcome: Outcome, reason: str | None) -> None:
        self._metrics.model_reloads.labels(outcome).inc()
        self.last_reload = Reload(outcome, self._clock(), reason)


def _told(what: str, error: Exception, before: Reload | None, **kept: str) -> tuple[Outcome, str]:
    """Outcome and reason of an error, which is logged unless it is the one before again."""
    outcome: Outcome = "failed"
    if isinstance(error, ModelUnavailable):
        outcome = "unavailable"
    elif isinstance(error, ModelRefused | PolicyInvalid):
        outcome = "refused"
    # Only our own errors have texts for an operator; others are in the log with their traceback.
    foreign = not isinstance(error, CreditError)
    reason = f"unexpected {type(error).__name__}; see the log" if foreign else str(error)
    if foreign or before is None or (before.outcome, before.reason) != (outcome, reason):
        level = logging.ERROR if outcome in ("refused", "failed") else logging.WARNING
        log.log(
            level,
            f"{what} not loaded",
            extra={"outcome": outcome, "reason": reason, **kept},
            exc_info=error if foreign else None,
        )
    return outcome, reason
