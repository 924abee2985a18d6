"""Brings a model into the cache from its document alone: no child process, no MLflow, no scikit-learn."""

import asyncio
from pathlib import Path

from app.errors import ModelError
from app.models.cache import ModelCache
from app.models.document import proven, read_document
from app.models.pointer import Pointer
from app.scoring.model import ScoringModel
from app.serving.live.alias_reader import Alias
from app.settings import ServingSettings


async def fetch(alias: Alias, wanted: Pointer, settings: ServingSettings) -> tuple[ScoringModel, Path] | None:
    """The model in the version's document, proven, and its cache entry; None when only its own files will do.

    Raises ModelRefused when it must not be served, ModelUnavailable, ModelError when it takes too long.
    """
    try:
        async with asyncio.timeout(settings.pull_timeout_seconds):
            content = await alias.document(wanted, settings.pull_megabytes << 20)
    except TimeoutError:
        seconds = settings.pull_timeout_seconds
        raise ModelError(f"the document of {wanted.uri} took longer than {seconds:g} s") from None
    return None if content is None else await asyncio.to_thread(_unpack, content, wanted, settings)


def _unpack(content: bytes, wanted: Pointer, settings: ServingSettings) -> tuple[ScoringModel, Path] | None:
    document = read_document(content, wanted)
    if settings.require_verdict:
        wanted.require_files(document.identity.digest)
    model = proven(document)
    if model is None:
        return None
    cache = ModelCache(settings.cache_dir)
    with cache.staging() as staged:
        entry = cache.commit(staged, document, content)
    cache.trim(settings.cache_versions, settings.cache_megabytes << 20, keep=entry)
    return model, entry
