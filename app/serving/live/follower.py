"""Keeps a model in its place the one that the registry names; on any failure the model before it stays."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from app.contract_file import load_contract
from app.errors import ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.models.cache import ModelCache, document_digest
from app.models.load import load_entry
from app.models.pointer import Pointer
from app.scoring.model import ScoringModel
from app.serving.live.alias_reader import Alias, alias_reader
from app.serving.live.challenger import Challenger
from app.serving.live.document_fetch import fetch
from app.serving.live.holder import Holder
from app.serving.live.memory import release_free_memory
from app.serving.live.pull_process import pull
from app.settings import Settings

Pull = Callable[[str], Awaitable[Path]]
"""From a URI to a cache entry; raises as app.serving.live.pull_process.pull."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
JITTER = 0.2

log = logging.getLogger(__name__)


def jittered(seconds: float) -> float:
    """So that the replicas do not ask in step."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)


class ModelSlot(Protocol):
    """Where a followed model goes: production's holder, or the challenger."""

    def take(self, model: ScoringModel) -> None: ...
    def keep(self, error: Exception) -> None: ...
    def confirm(self, named: Pointer | None) -> None: ...
    def contact(self, up: bool) -> None: ...


class Follower:
    """Serves from the cache at once, then pulls, and follows the alias where there is one to follow.

    alias: reads the alias, or None to pull once and be done.
    leave: empties the place; given where an alias that names nothing is no error.
    clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        settings: Settings,
        uri: str,
        place: ModelSlot,
        pull: Pull,
        alias: Alias | None,
        leave: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings.serving
        self._contract = load_contract(settings)
        self._uri = uri
        self._place = place
        self._pull = pull
        self._alias = alias
        self._leave = leave
        self._clock = clock
        self._failures = 0
        # What serves and the digest of its document, and what failed last and is left alone until then.
        self._served: Pointer | None = None
        self._loaded: str | None = None
        self._failed: Pointer | None = None
        self._retry_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled, or has the one model that a pinned URI will ever name."""
        try:
            await self.serve_cached()
            while (pause := await self.step()) is not None:
                await asyncio.sleep(pause)
        finally:
            if self._alias is not None:
                await self._alias.close()

    async def serve_cached(self) -> None:
        """Serve what answered the URI last, so that neither a restart nor a dead registry costs a request."""
        try:
            entry = await asyncio.to_thread(self._recall)
            if entry is not None:
                await self._load(entry)
        except Exception as error:
            self._place.keep(error)

    async def step(self) -> float | None:
        """See once what should serve, and make it so; gives the seconds until the next step, None when done."""
        wanted: Pointer | None = None
        try:
            if self._alias is not None:
                wanted = await self._alias.read()
                self._place.contact(True)
                if wanted == self._failed and self._clock() < self._retry_at:
                    return self._poll_pause()
                wanted.require_registered()
                if wanted != self._served and self._settings.require_verdict:
                    wanted.require_verdict()
            if wanted is None or wanted != self._served:
                await self._bring(wanted)
        except ModelMissing as error:
            if self._leave is None or wanted is not None:
                return self._after(error, wanted)
            await self._vacate(self._leave)
        except Exception as error:
            return self._after(error, wanted)
        else:
            self._place.confirm(wanted)
        self._failures = 0
        self._failed = None
        return self._poll_pause() if self._alias is not None else None

    async def _bring(self, wanted: Pointer | None) -> None:
        if wanted is None or self._alias is None:
            await self._load(await self._pull(self._uri))
            self._place.contact(True)
            return
        entry = await asyncio.to_thread(self._find, wanted)
        if entry is not None and await asyncio.to_thread(document_digest, entry) == self._loaded:
            self._served = wanted  # the cache gave it before the registry was asked
        elif entry is not None:
            await self._load(entry, wanted)
        elif (fetched := await fetch(self._alias, wanted, self._settings)) is not None:
            await self._take(*fetched, wanted)
        else:
            # The version has no document, or one that is not enough: its own files are needed.
            served = await self._load(await self._pull(self._uri))
            # The alias may have moved on during the pull: then the next step sees that it did.
            self._served = wanted if served.version == wanted.version else None

    async def _load(self, entry: Path, pointer: Pointer | None = None) -> Pointer:
        # Load the new model before dropping the old one: a bad promotion must not empty the pod.
        model = await asyncio.to_thread(load_entry, entry, self._settings)
        return await self._take(model, entry, pointer)

    async def _take(self, model: ScoringModel, entry: Path, pointer: Pointer | None) -> Pointer:
        """pointer: what the registry says of it; its identity is all that is known where nobody was asked."""
        if difference := self._contract.difference(model.contract):
            raise ModelRefused(f"{model.identity.uri} has another contract: {difference}")
        self._place.take(model)
        # Only now: the next start must find a model that is known to load.
        await asyncio.to_thread(self._cache().remember, self._uri, entry)
        await asyncio.to_thread(release_free_memory)
        identity = model.identity
        self._served = pointer or Pointer(identity.name, identity.version, identity.run_id)
        self._loaded = await asyncio.to_thread(document_digest, entry)
        return self._served

    def _cache(self) -> ModelCache:
        return ModelCache(self._settings.cache_dir)

    def _recall(self) -> Path | None:
        return self._cache().recall(self._uri)

    def _find(self, wanted: Pointer) -> Path | None:
        """What makes a rollback quick, and possible without the registry's artifacts."""
        return self._cache().find(wanted, self._settings.require_verdict, self._settings.positive_class)

    async def _vacate(self, leave: Callable[[], None]) -> None:
        leave()
        if self._served is not None:
            self._served = self._loaded = None
            await asyncio.to_thread(self._cache().forget, self._uri)

    def _after(self, error: Exception, wanted: Pointer | None) -> float:
        """Keep what serves; gives the seconds until the next step."""
        self._place.keep(error)
        # A pull may fail for want of an artifact while the registry answers well.
        if isinstance(error, ModelUnavailable) and wanted is None:
            self._place.contact(isinstance(error, ModelMissing))
        pause = jittered(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._failures))
        self._failures = min(self._failures + 1, 10)
        if self._alias is None:
            return pause
        if wanted is not None:
            # Asking again is cheap, so the alias is followed meanwhile; the pull that failed is not repeated yet,
            # and a refused version gives the same answer for ever.
            self._failed = wanted
            self._retry_at = float("inf") if isinstance(error, ModelRefused) else self._clock() + pause
        # What somebody has to mend first is not worth asking for at every poll.
        return jittered(LONGEST_PAUSE_SECONDS) if isinstance(error, ModelForbidden) else min(pause, self._poll_pause())

    def _poll_pause(self) -> float:
        return jittered(self._settings.poll_seconds)


def followers_of(settings: Settings, holder: Holder, challenger: Challenger) -> list[Follower]:
    """The follower of the configured model, and where that is an alias on a server the challenger's."""
    turn = asyncio.Lock()

    async def in_turn(uri: str) -> Path:
        # The memory of the container has room for one pull.
        async with turn:
            return await pull(uri, settings.serving.pull_timeout_seconds)

    uri, registry = settings.mlflow.model_uri, settings.mlflow
    production = Follower(settings, uri, holder, in_turn, alias_reader(uri, registry))
    challenged = alias_reader(challenger.uri, registry)
    if alias_reader(uri, registry) is None or challenged is None:
        return [production]
    return [production, Follower(settings, challenger.uri, challenger, in_turn, challenged, challenger.leave)]
