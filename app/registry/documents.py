"""Writes the documents of registered models into the registry, for servers to fetch."""

import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import mlflow

from app.models.document import DOCUMENT_FILE, document_bytes, with_golden_probabilities
from app.models.load import load_entry
from app.models.pointer import DOCUMENT, DOCUMENT_DIGEST
from app.registry.client import connect, translated
from app.registry.pulling import pull_files
from app.registry.versions import Registered, experiment_of
from app.scoring.model import ModelDocument
from app.settings import Settings


def document(registered: Registered, settings: Settings) -> Registered:
    """Make the document of a version that has its reference population beside it, and log it with its run.

    Gives the version with the digest of its files. Raises ModelUnavailable, and ModelRefused when what was registered
    cannot be served.
    """
    entry = pull_files(f"models:/{registered.name}/{registered.version}", settings)
    model = load_entry(entry, settings.serving)
    with translated(f"cannot write the document of version {registered.version} of {registered.name}"):
        _log(connect(settings), with_golden_probabilities(model), registered.run_id)
    return replace(registered, digest=model.identity.digest)


def adopt(found: ModelDocument, figures: dict[str, float], tags: dict[str, str], settings: Settings) -> Registered:
    """Log the document of a version that was trained anywhere, in a run of its own with these figures and tags.

    Raises ModelUnavailable.
    """
    identity = found.identity
    with translated(f"cannot write the document of version {identity.version} of {identity.name}"):
        client = connect(settings)
        experiment = experiment_of(client, settings.mlflow.tracking_uri)
        name = f"adopt {identity.name} {identity.version}"
        run_id = str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)
        for figure, value in figures.items():
            client.log_metric(run_id, figure, value)
        _log(client, found, run_id)
        client.set_terminated(run_id)
    return Registered(identity.name, identity.version, identity.run_id, identity.digest)


def _log(client: mlflow.MlflowClient, found: ModelDocument, run_id: str) -> None:
    content, identity = document_bytes(found), found.identity
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, DOCUMENT_FILE)
        path.write_bytes(content)
        client.log_artifact(run_id, str(path))
    # A server that reads between the two tags finds a digest that does not fit, and asks again when both are there.
    client.set_model_version_tag(identity.name, identity.version, DOCUMENT_DIGEST, sha256(content).hexdigest())
    client.set_model_version_tag(identity.name, identity.version, DOCUMENT, f"runs:/{run_id}/{DOCUMENT_FILE}")
