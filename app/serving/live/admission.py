"""Who may ask now, kept up to date with the callers' file."""

import asyncio
import logging
from pathlib import Path

from app.callers.file import parse_callers, read_callers
from app.callers.known import Callers
from app.metrics import Metrics
from app.serving.live.reloads import Reloads
from app.serving.live.watched_file import FileWatch

log = logging.getLogger(__name__)


class Admission:
    """Who may ask now; `callers` is None where nobody needs a key."""

    def __init__(self, callers: Callers | None, metrics: Metrics, source: str = "") -> None:
        self.callers = callers
        self.requests = metrics.requests_by_caller
        self._reloads = Reloads("callers", source, metrics.callers_reloads)

    def take(self, callers: Callers) -> None:
        """Let those in from the next request on."""
        if callers != self.callers:
            self.callers = callers
            log.info("callers loaded", extra={"callers": sorted({caller.name for caller in callers.known})})
        self._reloads.loaded()

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
