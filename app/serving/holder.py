"""Which model serves, whether the registry still names it, and how the last attempt to load one ended."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.metrics import Metrics, ModelMetrics
from app.scoring.model import ScoringModel
from app.serving.reloads import Reload, Reloads
from app.settings import Settings

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
class Contact:
    """Whether the registry answers."""

    up: bool
    since: float
    """Seconds since 1970."""


class Holder:
    """Holds the model in service; `serving` is None until there is one, `registry` until it was first asked.

    `stale` while what serves is not known to be what the registry names. clock: seconds since 1970.
    """

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self.serving: Serving | None = None
        self.registry: Contact | None = None
        self.stale = False
        self._uri = settings.mlflow.model_uri
        self._threshold = settings.decision.threshold
        self._metrics = metrics
        self._clock = clock
        self._reloads = Reloads(self._uri, metrics.model_reloads, clock)

    @property
    def last_reload(self) -> Reload | None:
        return self._reloads.last

    def take(self, model: ScoringModel) -> None:
        """Serve that model from the next request on; stale until it is confirmed."""
        now = self._clock()
        identity = model.identity
        serving = self.serving
        if serving is None or serving.model.identity != identity:
            alias = self._uri.rpartition("@")[2] if "@" in self._uri else ""
            metrics = self._metrics.serve(model, alias, now)
            self.serving = Serving(model, metrics, self._threshold, self._uri, now)
            self._mark(stale=True)
            log.info("model loaded", extra={"model": identity.name, "model_version": identity.version})
        self._reloads.loaded()

    def confirm(self) -> None:
        """What serves is what the registry names."""
        self._mark(stale=False)

    def keep(self, error: Exception) -> None:
        """Keep what serves: this error came instead of a model, or of an answer about it."""
        self._mark(stale=self.serving is not None)
        self._reloads.failed(error)

    def contact(self, up: bool) -> None:
        """The registry answered, or did not."""
        self._metrics.registry_up.set(up)
        if self.registry is None or self.registry.up != up:
            self.registry = Contact(up, self._clock())

    def _mark(self, stale: bool) -> None:
        self.stale = stale
        self._metrics.model_stale.set(stale)
