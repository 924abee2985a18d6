"""A real MLflow server as a process of its own, and models in it that give everybody one probability."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import mlflow
import mlflow.sklearn
import numpy as np
import skops.io
from mlflow.models import ModelSignature
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.types import ColSpec, DataType, Schema
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from app.models.cache import combined_digest, folder_digests
from app.models.load import TRUSTED_TYPES, load_entry
from app.registry import Registered, adopt, pull_files, write_verdict
from app.registry.client import connect
from app.settings import MlflowSettings, ServingSettings, Settings
from harness.fields import FEATURES
from harness.population import reference
from harness.servers import free_port
from harness.waiting import PATIENCE_SECONDS, wait_until

NAME = "credit-default-model"
ROWS = 200


def constant_classifier(defaults: int) -> Any:
    """Trees of one leaf, fitted to that many defaults in 200 rows: their share is the probability of everybody."""
    rows = np.random.default_rng(1).random((ROWS, len(FEATURES)))
    outcome = np.arange(ROWS) < defaults
    model = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=ROWS, early_stopping=False)
    return model.fit(rows, outcome.astype(np.int64))


def log_constant(settings: Settings, defaults: int) -> str:
    """As log_model, of constant_classifier."""
    return log_model(settings, constant_classifier(defaults))


def log_untrusted(settings: Settings) -> str:
    """Register a model with a type that runs code when it is read, which only its author trusts."""
    model = make_pipeline(FunctionTransformer(pickle.loads), constant_classifier(4))
    version = log_unjudged(settings, model, skops.io.get_untrusted_types(data=skops.io.dumps(model)))
    pass_gate(settings, version)
    return version


def log_cut_off(settings: Settings) -> str:
    """Register a model and leave of its file in the store only the beginning; gives its version."""
    version = log_unjudged(settings, constant_classifier(40))
    store = get_artifact_repository(connect(settings).get_model_version_download_uri(NAME, version))
    with TemporaryDirectory() as folder:
        file = Path(store.download_artifacts("model.skops", folder))  # type: ignore[no-untyped-call]
        file.write_bytes(file.read_bytes()[:1000])
        store.log_artifact(str(file))  # type: ignore[no-untyped-call]
    pass_gate(settings, version)
    return version


def pass_gate(settings: Settings, version: str) -> None:
    """Write a verdict that passed for the files that the registry has of a version, without judging them."""
    connect(settings)
    with TemporaryDirectory() as folder:
        files = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{version}", dst_path=folder))
        digest = combined_digest(folder_digests(files))
    write_verdict(Registered(NAME, version, "", digest), True, [], settings)


def log_model(settings: Settings, model: Any, columns: Sequence[str] = ()) -> str:
    """Register a model as one that was adopted, with a made-up population; gives its version.

    columns: names of its inputs, where it has any.
    """
    version = log_unjudged(settings, model, columns=columns)
    entry = pull_files(f"models:/{NAME}/{version}", settings)
    own = load_entry(entry, settings.serving).document
    document = replace(own, reference=reference(own.contract.factor_names))
    write_verdict(adopt(document, {}, {}, settings), True, [], settings)
    return version


def log_unjudged(
    settings: Settings, model: Any, trusted: Sequence[str] = TRUSTED_TYPES, columns: Sequence[str] = ()
) -> str:
    """Register a model as anybody may, with nothing beside it but the names of its inputs; gives its version."""
    connect(settings)
    signature = None
    if columns:
        signature = ModelSignature(inputs=Schema([ColSpec(DataType.double, name) for name in columns]))
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            serialization_format="skops",
            skops_trusted_types=list(trusted),
            signature=signature,
            pip_requirements=["scikit-learn"],
            registered_model_name=NAME,
        )
    return str(info.registered_model_version)


class Registry:
    """An MLflow server on one port that can be stopped and started; its data stay in the folder."""

    def __init__(self, folder: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._options = options
        self._environment = environment or {}
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        serving = ServingSettings(cache_dir=self.folder / "cache")
        return Settings(mlflow=MlflowSettings(tracking_uri=self.url), serving=serving)

    def start(self) -> None:
        """Until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        command += self._options
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **self._environment}
        with (self.folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        wait_until(
            lambda: httpx.get(f"{self.url}/health", timeout=PATIENCE_SECONDS).status_code,
            lambda it: it == 200,
            what="MLflow",
        )

    def stop(self) -> None:
        """Kill it as a node that fails would, with its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def add(self, defaults: int) -> str:
        """As log_constant."""
        return log_constant(self.settings, defaults)

    def let(self, alias: str, version: str) -> None:
        """Move an alias."""
        connect(self.settings).set_registered_model_alias(NAME, alias, version)

    def remove(self, alias: str) -> None:
        connect(self.settings).delete_registered_model_alias(NAME, alias)

    def file_of(self, version: str) -> Path:
        """The model's file where the server keeps it."""
        model = str(connect(self.settings).get_model_version(NAME, version).source).removeprefix("models:/")
        return next(path for path in (self.folder / "artifacts").rglob("model.skops") if model in path.parts)


@contextmanager
def running_registry(
    folder: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Registry]:
    """A registry that is killed at the end. options: more arguments of `mlflow server`."""
    registry = Registry(folder, options, environment)
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()
