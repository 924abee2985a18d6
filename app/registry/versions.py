"""New versions: registered with all that belongs to them, and promoted when the gate let them pass."""

import json
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow

from app.contract.contract import Contract
from app.models.load import MODEL_FOLDER, TRUSTED_TYPES
from app.models.mlmodel import CONTRACT_FILE, REFERENCE_FILE
from app.models.pointer import GATE, GATE_DIGEST, GATE_REASONS, PASSED, REFUSED
from app.registry.aliases import REASONS_JOINED_BY, move_alias
from app.registry.client import ALIAS, EXPERIMENT, connect, public, translated
from app.registry.run_files import CARD, FOLDER
from app.scoring.model import Reference
from app.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model with all that is registered beside it."""

    estimator: Any
    """Fitted scikit-learn classifier."""
    contract: Contract
    """Whose factors are its inputs, in their order."""
    example: "pd.DataFrame"
    """A few rows of inputs, every column double."""
    parameters: dict[str, str | float | int]
    figures: dict[str, float]
    data_name: str
    data_digest: str
    """SHA-256, in hex, of the rows' content."""
    git_commit: str
    """Of the code that trained it."""
    reference: Reference
    pictures: dict[str, bytes]
    """PNG by file name."""
    card: str
    """The model card, Markdown."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One version in the registry."""

    name: str
    version: str
    run_id: str
    digest: str = ""
    """SHA-256, in hex, of the model's files; empty while nobody has looked at them."""


def register(candidate: Candidate, settings: Settings) -> Registered:
    """Log a run with everything about the candidate and register its model as a new version.

    Raises ModelUnavailable when the registry cannot be reached.
    """
    with translated(f"cannot register a model at {public(settings.mlflow.tracking_uri)}"):
        client = connect(settings)
        experiment = experiment_of(client, settings.mlflow.tracking_uri)
        with mlflow.start_run(experiment_id=experiment) as run, tempfile.TemporaryDirectory() as folder:
            mlflow.log_params(candidate.parameters | {"data": candidate.data_name})
            mlflow.log_metrics(candidate.figures)
            mlflow.set_tags({"data_digest": candidate.data_digest, "git_commit": candidate.git_commit})
            for name, picture in candidate.pictures.items():
                path = Path(folder, name)
                path.write_bytes(picture)
                mlflow.log_artifact(str(path), FOLDER)
            mlflow.log_text(candidate.card, CARD)
            number = _log_model(candidate, Path(folder), settings)
            name = settings.mlflow.model_name
            client.set_model_version_tag(name, number, "data_digest", candidate.data_digest)
            return Registered(name, number, run.info.run_id)


def experiment_of(client: mlflow.MlflowClient, tracking_uri: str) -> str:
    """The id of the experiment that runs are logged in, which is made when missing."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return str(experiment.experiment_id)
    location = None
    if tracking_uri.startswith("sqlite:///"):
        # MLflow's own default is a folder below wherever the process was started.
        location = (Path(tracking_uri.removeprefix("sqlite:///")).resolve().parent / "mlartifacts").as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))


def _log_model(candidate: Candidate, folder: Path, settings: Settings) -> str:
    from mlflow import sklearn as mlflow_sklearn
    from mlflow.models import infer_signature

    reference = folder / REFERENCE_FILE
    reference.write_text(json.dumps(asdict(candidate.reference)))
    contract = folder / CONTRACT_FILE
    contract.write_text(json.dumps(candidate.contract.to_json()))
    with warnings.catch_warnings():
        # The estimator takes plain arrays; the names are the signature's.
        warnings.filterwarnings("ignore", message="X has feature names")
        warnings.filterwarnings("ignore", message=".*int.*column", category=UserWarning)
        signature = infer_signature(candidate.example, candidate.estimator.predict_proba(candidate.example.to_numpy()))
        info = mlflow_sklearn.log_model(
            candidate.estimator,
            name=MODEL_FOLDER,
            signature=signature,
            input_example=candidate.example,
            serialization_format="skops",
            skops_trusted_types=list(TRUSTED_TYPES),
            pyfunc_predict_fn="predict_proba",
            pip_requirements=[f"{name}=={installed_version(name)}" for name in ("scikit-learn", "numpy", "skops")],
            extra_files=[str(reference), str(contract)],
            registered_model_name=settings.mlflow.model_name,
        )
    return str(info.registered_model_version)


def promote(
    registered: Registered, passed: bool, reasons: Sequence[str], settings: Settings, alias: str = ALIAS
) -> None:
    """Write the gate's verdict on the version, and move the alias to it only when it passed.

    Raises ModelUnavailable when the registry cannot be reached.
    """
    name, version = registered.name, registered.version
    write_verdict(registered, passed, reasons, settings)
    if passed:
        with translated(f"cannot let {name}@{alias} name version {version}"):
            move_alias(connect(settings), name, alias, version)


def write_verdict(registered: Registered, passed: bool, reasons: Sequence[str], settings: Settings) -> None:
    """Write the gate's verdict, with the digest of the files that passed, on the version as tags.

    Raises ModelUnavailable when the registry cannot be reached.
    """
    tags = {
        GATE_DIGEST: registered.digest if passed else "",
        GATE_REASONS: REASONS_JOINED_BY.join(reasons),
        GATE: PASSED if passed else REFUSED,
    }
    # At no moment does a verdict that passed stand beside files that did not.
    order = tags if passed else reversed(tags)
    with translated(f"cannot write the verdict on version {registered.version} of {registered.name}"):
        client = connect(settings)
        for tag in order:
            client.set_model_version_tag(registered.name, registered.version, tag, tags[tag])
