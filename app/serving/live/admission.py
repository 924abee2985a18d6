"""Who may ask now, kept up to date with the callers' file."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.callers.file import parse_callers, read_callers
from app.callers.known import Callers
from app.metrics import Metrics
from app.serving.http.rate_limits import RateLimits
from app.serving.live.reloads import Reloads
from app.serving.live.watched_file import FileWatch

log = logging.getLogger(__name__)

KeysChanged = Callable[[str, dict[str, Any]], None]
"""Called with what happened and the keys that it is about, for the record."""


class Admission:
    """Who may ask now; `callers` is None where nobody needs a key. changed: told of keys that came and went."""

    def __init__(
        self, callers: Callers | None, metrics: Metrics, source: str = "", changed: KeysChanged | None = None
    ) -> None:
        self.callers = callers
        self._changed = changed
        self.limits = RateLimits()
        self.requests = metrics.requests_by_caller
        self._reloads = Reloads("callers", source, metrics.callers_reloads)

    def take(self, callers: Callers) -> None:
        """Let those in from the next request on."""
        if callers != self.callers:
            before, self.callers = self.callers, callers
            self._tell(before, callers)
            log.info("callers loaded", extra={"callers": sorted({caller.name for caller in callers.known})})
        self._reloads.loaded()

    def tell_all(self) -> None:
        """Say which keys are in force, where keys are needed."""
        if self.callers is not None:
            self._tell(None, self.callers)

    def _tell(self, before: Callers | None, after: Callers) -> None:
        if self._changed is not None:
            had, has = ({*map(str, it.known)} if it is not None else set() for it in (before, after))
            self._changed("api_keys", {"added": sorted(has - had), "removed": sorted(had - has)})

    def keep(self, error: Exception) -> None:
        """Keep those who may ask: this error came instead of others."""
        self._reloads.failed(error)


class CallersWatch(FileWatch):
    """As FileWatch, for those who may ask."""

    def __init__(self, path: Path, admission: Admission, poll_seconds: float) -> None:
        super().__init__(poll_seconds)
        self._path = path
        self._admission = admission

    def read(self) -> bytes:
        return read_callers(self._path)

    async def take(self, content: bytes) -> None:
        self._admission.take(await asyncio.to_thread(parse_callers, content, self._path.name))

    def keep(self, error: Exception) -> None:
        self._admission.keep(error)
