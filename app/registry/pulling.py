"""From a URI of the registry to a cache entry that is proven and ready to serve."""

import json
import logging
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mlflow
import yaml
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from app.cache import ModelCache, combined_digest, folder_digests, read_entry
from app.errors import ModelRefused, ModelUnavailable, NotCompilable
from app.estimators import MODEL_FOLDER, UNCOMPILED, Classifier, load_entry, load_estimator
from app.proof import prove
from app.registry.client import ALIAS, REFERENCE_FILE, connect, translated
from app.scoring.compiled import Scorer, compile_scorer
from app.scoring.extract import Spec, extract
from app.scoring.model import Identity, ModelDocument, Reference, ScoringModel, positions_of
from app.settings import Settings

log = logging.getLogger(__name__)


def production_model(settings: Settings) -> ScoringModel | None:
    """The model that the production alias names, or None while it names none.

    Raises ModelUnavailable or ModelRefused when there is one and it cannot be loaded.
    """
    client = connect(settings)
    name = settings.mlflow.model_name
    try:
        client.get_model_version_by_alias(name, ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise ModelUnavailable(f"cannot ask for {name}@{ALIAS}: {str(error).splitlines()[0]}") from error
    return load_entry(pull(f"models:/{name}@{ALIAS}", settings), settings.serving.allow_pickle)


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    version: str
    run_id: str
    uri: str
    """Names one version for good, as no alias does."""
    created_at: float


def pull(uri: str, settings: Settings) -> Path:
    """Bring the model that a URI names into the cache, proven and ready to serve; gives its entry's folder.

    uri: models:/name@alias, models:/name/version or runs:/run/path, resolved once. A version that the cache
    holds already is not downloaded again.
    Raises ModelUnavailable when the registry cannot give it, ModelRefused when it must not be served.
    """
    client = connect(settings)
    cache = ModelCache(settings.serving.cache_dir)
    with translated(f"{uri} cannot be had from {settings.mlflow.tracking_uri}"):
        source = _resolve(client, uri)
        entry = _cached(cache, source)
        if entry is None:
            entry = _download(client, cache, source, settings)
    cache.remember(uri, entry)
    return entry


def _resolve(client: mlflow.MlflowClient, uri: str) -> _Source:
    if match := re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", uri):
        run = client.get_run(match[1])
        return _Source(match[2].replace("/", "-"), match[1], match[1], uri, run.info.start_time / 1000)
    match = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/([0-9]+))", uri)
    if match is None:
        raise ModelUnavailable(f"{uri!r} is not models:/name@alias, models:/name/version or runs:/run/path")
    name, alias, number = match.groups()
    found: ModelVersion = (
        client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, number)
    )
    version = str(found.version)
    return _Source(name, version, found.run_id or "", f"models:/{name}/{version}", found.creation_timestamp / 1000)


def _cached(cache: ModelCache, source: _Source) -> Path | None:
    for entry in cache.versions(source.name, source.version):
        try:
            identity = read_entry(entry).identity
        except ModelRefused as error:
            log.warning("pulling again: %s", error)
            continue
        # A registry that was made anew gives old numbers to new models; the run tells them apart.
        if identity.run_id == source.run_id:
            return entry
    return None


def _download(client: mlflow.MlflowClient, cache: ModelCache, source: _Source, settings: Settings) -> Path:
    with cache.staging() as staged:
        folder = staged / MODEL_FOLDER
        with tempfile.TemporaryDirectory(dir=staged) as download:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=source.uri, dst_path=download))
            shutil.move(path, folder)
        digest = combined_digest(folder_digests(folder))
        figures: dict[str, float] = client.get_run(source.run_id).data.metrics if source.run_id else {}
        identity = Identity(source.name, source.version, source.uri, source.run_id, digest, source.created_at)
        return cache.commit(staged, _document(folder, identity, figures, settings.serving.allow_pickle))


def _document(folder: Path, identity: Identity, figures: dict[str, float], allow_pickle: bool) -> ModelDocument:
    if not (folder / "MLmodel").exists():
        raise ModelUnavailable(f"{identity.uri} cannot be had: its artifacts hold no MLmodel")
    try:
        file, serialization, columns, reference = _description(folder)
    except (yaml.YAMLError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ModelRefused(f"{identity.uri}: its description cannot be read ({type(error).__name__})") from error
    if file is None:
        raise ModelRefused(f"{identity.uri} is no scikit-learn model")
    classifier = load_estimator(folder / file, serialization, allow_pickle)
    positions = positions_of(columns, _input_count(classifier))
    spec, scorer = _compiled(classifier, file, serialization)
    prove(classifier, scorer, spec["kind"], positions, reference)
    return ModelDocument(identity, positions, spec, reference, figures)


def _description(folder: Path) -> tuple[str | None, str, list[str] | None, Reference | None]:
    """A model's file (None when it is not scikit-learn's), how that is saved, its columns, its reference."""
    # Read here and not by mlflow, whose reader of signatures wants pandas, which the API's image does without.
    model = yaml.safe_load((folder / "MLmodel").read_text())
    flavor = model["flavors"].get("sklearn", {})
    inputs = json.loads((model.get("signature") or {}).get("inputs") or "[]")
    columns = [column["name"] for column in inputs] if inputs and all("name" in column for column in inputs) else None
    path = folder / "extra_files" / REFERENCE_FILE
    reference = Reference.from_json(json.loads(path.read_text())) if path.exists() else None
    return flavor.get("pickled_model"), flavor.get("serialization_format", "cloudpickle"), columns, reference


def _input_count(classifier: Classifier) -> int:
    count = getattr(classifier, "n_features_in_", None)
    if count is None:
        raise ModelRefused(f"{type(classifier).__name__} does not say how many inputs it takes (n_features_in_)")
    return int(count)


def _compiled(classifier: Classifier, file: str, serialization: str) -> tuple[Spec, Scorer | None]:
    try:
        spec = extract(classifier)
        return spec, compile_scorer(spec)
    except NotCompilable as error:
        log.warning("served through predict_proba: %s", error)
        return {"kind": UNCOMPILED, "file": file, "serialization": serialization}, None
