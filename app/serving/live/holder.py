"""Which model serves under which policy, whether the registry still names it, and how attempts to load ended."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from app.metrics import Metrics, ModelMetrics
from app.models.pointer import Pointer
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.scoring.policy import Policy
from app.scoring.rows import RowsDecider
from app.serving.live.reloads import Reload, Reloads
from app.settings import Settings
from app.times import end_of_day

log = logging.getLogger(__name__)

T = TypeVar("T")


class NoModel(Exception):
    """No model is loaded; the text says why."""


class Once(Generic[T]):
    """Something that is made when it is first wanted."""

    def __init__(self) -> None:
        self._made: list[T] = []

    async def get(self, make: Callable[[], T]) -> T:
        """make: runs in a thread, because loading what it needs may take a while in which others are answered."""
        if not self._made:
            self._made = [await asyncio.to_thread(make)]
        return self._made[0]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Model and policy in service with all that an answer needs: taken once a request, it cannot change underneath."""

    decider: Decider
    metrics: ModelMetrics
    uri: str
    """As it was configured."""
    loaded_at: float
    """When the model was, in seconds since 1970."""
    rows_decider: Once[RowsDecider | None] = field(init=False, default_factory=Once)
    """What large batches need of model and policy; None for a model that only decides one row at a time."""
    named: dict[str, Any] = field(init=False)
    """What each answer says of it: the fields of app.serving.api.schema.ServedBy."""
    warnings: list[str] = field(init=False)
    """What whoever relies on it should know: of the model, and of what the policy has no words for."""

    def __post_init__(self) -> None:
        named = {
            "threshold": self.policy.threshold,
            "policy_version": self.policy.version,
            "model_uri": self.uri,
            "model_version": self.model.identity.version,
        }
        object.__setattr__(self, "named", named)
        explained = self.decider.reference is not None
        unsaid = [f"policy: {it}" for it in self.policy.problems(self.model.contract)] if explained else []
        object.__setattr__(self, "warnings", [*self.model.document.warnings, *unsaid])

    @property
    def model(self) -> ScoringModel:
        return self.decider.model

    @property
    def policy(self) -> Policy:
        return self.decider.policy


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether the registry answers."""

    up: bool
    since: float
    """Seconds since 1970."""


class Holder:
    """Holds the model in service and the policy in force; `serving` is None until there is a model, `registry` until
    it was first asked.

    `stale` while what serves is not known to be what the registry names. clock: seconds since 1970. replaced:
    called for the record when another model takes the place of the one in service.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
        replaced: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self._replaced = replaced
        self.serving: Snapshot | None = None
        self.policy = policy
        self.registry: Contact | None = None
        self.stale = False
        self._uri = settings.mlflow.model_uri
        self._metrics = metrics
        self._clock = clock
        metrics.describe_policy(policy)
        self._reloads = Reloads("model", self._uri, metrics.model_reloads, clock)
        self._policy_reloads = Reloads("policy", str(settings.decision.policy_file), metrics.policy_reloads, clock)

    def snapshot(self) -> Snapshot:
        """What a request is to be answered with. Raises NoModel."""
        if self.serving is None:
            last = self.last_reload
            raise NoModel("the first attempt to load one has not ended" if last is None else last.reason)
        return self.serving

    @property
    def last_reload(self) -> Reload | None:
        return self._reloads.last

    @property
    def last_policy_reload(self) -> Reload | None:
        return self._policy_reloads.last

    def take(self, model: ScoringModel) -> None:
        """Serve that model from the next request on; stale until it is confirmed."""
        now = self._clock()
        identity = model.identity
        serving = self.serving
        # A version may be adopted anew, which gives it another reference population.
        if serving is None or serving.model.document != model.document:
            alias = self._uri.rpartition("@")[2] if "@" in self._uri else ""
            self._metrics.describe_model(model, alias, now)
            counted = ModelMetrics(self._metrics, model)
            self.serving = Snapshot(Decider(model, self.policy), counted, self._uri, now)
            self._mark(stale=True)
            if serving is not None and self._replaced is not None:
                before = serving.model.identity.lasting["uri"]
                self._replaced("model", {"before": before, **identity.lasting})
            log.info("model loaded", extra={"model": identity.name, "model_version": identity.version})
        self._reloads.loaded()

    def confirm(self, named: Pointer | None) -> None:
        """What serves is what the registry names. named: as it says of that version; None where nobody was asked."""
        self._mark(stale=False)
        if named is not None:
            self._metrics.describe_review(named.version, end_of_day(named.review_due))

    def keep(self, error: Exception) -> None:
        """Keep what serves: this error came instead of a model, or of an answer about it."""
        self._mark(stale=self.serving is not None)
        self._reloads.failed(error)

    def contact(self, up: bool) -> None:
        """The registry answered, or did not."""
        self._metrics.registry_up.set(up)
        if self.registry is None or self.registry.up != up:
            self.registry = Contact(up, self._clock())

    def take_policy(self, policy: Policy) -> None:
        """Decide by that policy from the next request on."""
        if policy != self.policy:
            if self.serving is not None:
                self.serving = replace(self.serving, decider=Decider(self.serving.model, policy))
            self.policy = policy
            self._metrics.describe_policy(policy)
            log.info("policy loaded", extra={"policy_version": policy.version, "threshold": policy.threshold})
        self._policy_reloads.loaded()

    def keep_policy(self, error: Exception) -> None:
        """Keep the policy in force: this error came instead of another."""
        self._policy_reloads.failed(error)

    def _mark(self, stale: bool) -> None:
        self.stale = stale
        self._metrics.model_stale.set(stale)
