"""From a URI of the registry to a cache entry that is proven and ready to serve."""

import logging
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion

from app.contract_file import load_contract
from app.errors import ModelMissing, ModelRefused, ModelUnavailable
from app.models.cache import ModelCache, combined_digest, folder_digests
from app.models.describe import document_of
from app.models.document import prove_golden_rows, proven, read_document
from app.models.load import MODEL_FOLDER, load_entry
from app.models.pointer import Pointer
from app.models.proof import GOLDEN_TOLERANCE
from app.registry.aliases import named_by
from app.registry.artifacts import download_document, figures_of, refuse_too_large
from app.registry.client import ALIAS, connect, public, translated
from app.scoring.model import Identity, ModelDocument, ScoringModel
from app.settings import Settings

MEGABYTE = 1 << 20

log = logging.getLogger(__name__)


def production_model(settings: Settings, besides: str = "") -> ScoringModel | None:
    """The model that the production alias names, or None while it names none.

    besides: a version that is not meant; where the alias names it, the one that was promoted before it is given.
    Raises ModelUnavailable or ModelRefused when there is one and it cannot be loaded.
    """
    name = settings.mlflow.model_name
    try:
        version = named_by(ALIAS, settings, besides)
    except ModelMissing:
        return None
    return load_entry(pull(f"models:/{name}/{version}", settings), settings.serving)


@dataclass(frozen=True, slots=True)
class _Source:
    pointer: Pointer
    uri: str
    """Names one version for good, as no alias does."""
    created_at: float
    by_alias: bool


def pull(uri: str, settings: Settings) -> Path:
    """Bring the model that a URI names into the cache, proven and ready to serve; gives its entry's folder.

    uri: models:/name@alias, models:/name/version or runs:/run/path, resolved once. What an alias names must have
    passed the gate, unless serving.require_verdict is off. A version that the cache holds already is not downloaded
    again. Older versions leave the cache when it grows over its limits.
    Raises ModelUnavailable when the registry cannot give it, ModelRefused when it must not be served.
    """
    what = f"{uri} cannot be had from {public(settings.mlflow.tracking_uri)}"
    with translated(what):
        client = connect(settings)
        source = _resolve(client, uri)
    pointer = source.pointer
    pointer.require_registered()
    judged = settings.serving.require_verdict and source.by_alias
    if judged:
        pointer.require_verdict()
    cache = ModelCache(settings.serving.cache_dir)
    entry = cache.find(pointer, judged, settings.serving.positive_class)
    if entry is None:
        with translated(what):
            content = download_document(client, pointer, settings.serving.pull_megabytes)
        document = None if content is None else read_document(content, pointer)
        if document is not None and judged:
            pointer.require_files(document.identity.digest)
        if document is not None and proven(document) is not None:
            with cache.staging() as staged:
                entry = cache.commit(staged, document, content)
        else:
            entry = _from_files(client, cache, source, settings, judged, document, content)
    return _kept(cache, entry, settings)


def pull_files(uri: str, settings: Settings) -> Path:
    """As pull, but made from the model's own files, whatever document or verdict the version has."""
    with translated(f"{uri} cannot be had from {public(settings.mlflow.tracking_uri)}"):
        client = connect(settings)
        source = _resolve(client, uri)
    source.pointer.require_registered()
    cache = ModelCache(settings.serving.cache_dir)
    return _kept(cache, _from_files(client, cache, source, settings, False, None, None), settings)


def _kept(cache: ModelCache, entry: Path, settings: Settings) -> Path:
    serving = settings.serving
    for removed in cache.trim(serving.cache_versions, serving.cache_megabytes * MEGABYTE, keep=entry):
        log.info("removed from the cache: %s", removed.name)
    return entry


def _resolve(client: mlflow.MlflowClient, uri: str) -> _Source:
    if match := re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", uri):
        run = client.get_run(match[1])
        pointer = Pointer(match[2].replace("/", "-"), match[1], match[1])
        return _Source(pointer, uri, run.info.start_time / 1000, by_alias=False)
    match = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/([0-9]+))", uri)
    if match is None:
        raise ModelUnavailable(f"{uri!r} is not models:/name@alias, models:/name/version or runs:/run/path")
    name, alias, number = match.groups()
    found: ModelVersion = (
        client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, number)
    )
    pointer = Pointer.of(name, str(found.version), found.run_id or "", str(found.status), found.tags)
    return _Source(pointer, pointer.uri, found.creation_timestamp / 1000, by_alias=alias is not None)


def _from_files(
    client: mlflow.MlflowClient,
    cache: ModelCache,
    source: _Source,
    settings: Settings,
    judged: bool,
    document: ModelDocument | None,
    content: bytes | None,
) -> Path:
    """The entry of a model whose own files are needed: it has no document, or none that can be compiled."""
    pointer = source.pointer
    with cache.staging() as staged:
        folder = staged / MODEL_FOLDER
        with translated(f"{source.uri} cannot be had from {public(settings.mlflow.tracking_uri)}"):
            refuse_too_large(source.uri, settings.serving.pull_megabytes)
            with tempfile.TemporaryDirectory(dir=staged) as download:
                path = Path(mlflow.artifacts.download_artifacts(artifact_uri=source.uri, dst_path=download))
                shutil.move(path, folder)
            figures = figures_of(client, pointer.run_id)
        digest = combined_digest(folder_digests(folder))
        if judged:
            pointer.require_files(digest)
        identity = Identity(pointer.name, pointer.version, source.uri, pointer.run_id, digest, source.created_at)
        own = document_of(folder, identity, figures, pointer.positive_class, settings.serving, load_contract(settings))
        if document is None:
            return cache.commit(staged, own)
        if document.identity.digest != digest:
            raise ModelRefused(f"{source.uri} has a document that is about other files: {pointer.remedy}")

        def prove(folder: Path) -> None:
            prove_golden_rows(load_entry(folder, settings.serving), GOLDEN_TOLERANCE)

        return cache.commit(staged, document, content, prove)
