"""From a URI of the registry to a cache entry that is proven and ready to serve."""

import logging
import posixpath
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from app.errors import ModelMissing, ModelRefused, ModelUnavailable
from app.models.cache import ModelCache, combined_digest, folder_digests, read_entry
from app.models.describe import document_of
from app.models.load import MODEL_FOLDER, load_entry
from app.registry.client import ALIAS, connect, public, translated
from app.scoring.model import Identity, ScoringModel
from app.settings import Settings

MEGABYTE = 1 << 20
POSITIVE_CLASS_TAG = "positive_class"
"""Of a version: the class that means default."""

log = logging.getLogger(__name__)


def production_model(settings: Settings) -> ScoringModel | None:
    """The model that the production alias names, or None while it names none.

    Raises ModelUnavailable or ModelRefused when there is one and it cannot be loaded.
    """
    client = connect(settings)
    name = settings.mlflow.model_name
    try:
        with translated(f"cannot ask for {name}@{ALIAS}"):
            client.get_model_version_by_alias(name, ALIAS)
    except ModelMissing:
        return None
    return load_entry(pull(f"models:/{name}@{ALIAS}", settings), settings.serving)


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    version: str
    run_id: str
    uri: str
    """Names one version for good, as no alias does."""
    created_at: float
    positive_class: str
    """The version's tag, empty without one."""


def pull(uri: str, settings: Settings) -> Path:
    """Bring the model that a URI names into the cache, proven and ready to serve; gives its entry's folder.

    uri: models:/name@alias, models:/name/version or runs:/run/path, resolved once. A version that the cache
    holds already is not downloaded again. Older versions leave the cache when it grows over its limits.
    Raises ModelUnavailable when the registry cannot give it, ModelRefused when it must not be served.
    """
    client = connect(settings)
    cache = ModelCache(settings.serving.cache_dir)
    with translated(f"{uri} cannot be had from {public(settings.mlflow.tracking_uri)}"):
        source = _resolve(client, uri)
        entry = cache.find(source.name, source.version, source.run_id)
        if entry is None or _means_otherwise(entry, source, settings):
            entry = _download(client, cache, source, settings)
    serving = settings.serving
    for removed in cache.trim(serving.cache_versions, serving.cache_megabytes * MEGABYTE, keep=entry):
        log.info("removed from the cache: %s", removed.name)
    return entry


def _resolve(client: mlflow.MlflowClient, uri: str) -> _Source:
    if match := re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", uri):
        run = client.get_run(match[1])
        return _Source(match[2].replace("/", "-"), match[1], match[1], uri, run.info.start_time / 1000, "")
    match = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/([0-9]+))", uri)
    if match is None:
        raise ModelUnavailable(f"{uri!r} is not models:/name@alias, models:/name/version or runs:/run/path")
    name, alias, number = match.groups()
    found: ModelVersion = (
        client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, number)
    )
    version = str(found.version)
    uri, tag = f"models:/{name}/{version}", found.tags.get(POSITIVE_CLASS_TAG, "")
    return _Source(name, version, found.run_id or "", uri, found.creation_timestamp / 1000, tag)


def _means_otherwise(entry: Path, source: _Source, settings: Settings) -> bool:
    """Whether another class counts as default now than when the entry was pulled."""
    then = read_entry(entry).positive_class
    return then != (source.positive_class or (settings.serving.positive_class if then else ""))


def _refuse_too_large(uri: str, most_megabytes: int) -> None:
    size = _listed_bytes(get_artifact_repository(uri), "")
    if size > most_megabytes * MEGABYTE:
        raise ModelRefused(
            f"{uri} has {size / MEGABYTE:.1f} MB, more than serving.pull_megabytes = {most_megabytes} allows"
        )


def _listed_bytes(repository: ArtifactRepository, folder: str) -> int:
    size = 0
    for found in repository.list_artifacts(folder):
        # Some repositories give paths from the run's root, so that only the last name can be relied upon.
        path = posixpath.join(folder, posixpath.basename(found.path))
        size += _listed_bytes(repository, path) if found.is_dir else found.file_size or 0
    return size


def _download(client: mlflow.MlflowClient, cache: ModelCache, source: _Source, settings: Settings) -> Path:
    _refuse_too_large(source.uri, settings.serving.pull_megabytes)
    with cache.staging() as staged:
        folder = staged / MODEL_FOLDER
        with tempfile.TemporaryDirectory(dir=staged) as download:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=source.uri, dst_path=download))
            shutil.move(path, folder)
        digest = combined_digest(folder_digests(folder))
        figures: dict[str, float] = client.get_run(source.run_id).data.metrics if source.run_id else {}
        identity = Identity(source.name, source.version, source.uri, source.run_id, digest, source.created_at)
        document = document_of(folder, identity, figures, source.positive_class, settings.serving)
        return cache.commit(staged, document)
