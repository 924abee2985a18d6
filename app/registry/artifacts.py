"""What a version has beside its model: the size of its files, its document, the figures of its run."""

import logging
import posixpath
import re
import tempfile
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from app.errors import ModelRefused
from app.models.pointer import Pointer

log = logging.getLogger(__name__)


def refuse_too_large(uri: str, most_megabytes: int) -> None:
    """Raises ModelRefused when the files at a URI are larger than that, before any of them is downloaded."""
    size = _listed_bytes(get_artifact_repository(uri), "")
    if size > most_megabytes << 20:
        raise ModelRefused(
            f"{uri} has {size / (1 << 20):.1f} MB, more than serving.pull_megabytes = {most_megabytes} allows"
        )


def _listed_bytes(repository: ArtifactRepository, folder: str) -> int:
    size = 0
    for found in repository.list_artifacts(folder):
        # Some repositories give paths from the run's root, so that only the last name can be relied upon.
        path = posixpath.join(folder, posixpath.basename(found.path))
        size += _listed_bytes(repository, path) if found.is_dir else found.file_size or 0
    return size


def download_document(client: mlflow.MlflowClient, pointer: Pointer, most_megabytes: int) -> bytes | None:
    """The file that a version's tag names as its document; None when it has none, or that is gone.

    Raises ModelRefused when it is too large.
    """
    match = re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", pointer.document)
    if match is None or not pointer.document_digest:
        return None
    run_id, path = match.groups()
    try:
        listed = {found.path: found.file_size or 0 for found in client.list_artifacts(run_id)}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        listed = {}
    if path not in listed:
        # As after mlflow gc. The model's own files are enough to serve it, if with less to say.
        log.warning("%s has lost its document %s", pointer.uri, pointer.document)
        return None
    if listed[path] > most_megabytes << 20:
        raise ModelRefused(f"the document of {pointer.uri} is larger than serving.pull_megabytes = {most_megabytes}")
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run_id, path, folder)).read_bytes()


def figures_of(client: mlflow.MlflowClient, run_id: str) -> dict[str, float]:
    """The metrics of a run; none when the run is gone, as after mlflow gc, or was never there."""
    if not run_id:
        return {}
    try:
        return dict(client.get_run(run_id).data.metrics)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
