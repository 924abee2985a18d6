"""The connection to the registry, and its errors as this project's own."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from mlflow.environment_variables import (
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR,
    MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD,
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
)
from mlflow.exceptions import MlflowException

from app.errors import ModelMissing, ModelUnavailable
from app.settings import Settings

ALIAS = "production"
EXPERIMENT = "credit-default"

IMPATIENCE = {
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: 2,
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: 1,
    MLFLOW_HTTP_REQUEST_TIMEOUT: 20,
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: False,
    MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: False,
}
"""MLflow's own defaults keep a caller of a dead registry, or of an S3 server behind it that only the registry can
reach, waiting for minutes; the environment beats these."""


def connect(settings: Settings) -> mlflow.MlflowClient:
    """A client of the configured registry that gives up in seconds, since its callers retry by themselves.

    Raises ModelUnavailable when an embedded registry's file is not there and cannot be made.
    """
    _require_file(settings.mlflow.tracking_uri)
    for variable, value in IMPATIENCE.items():
        if not variable.is_set():  # type: ignore[no-untyped-call]
            variable.set(value)  # type: ignore[no-untyped-call]
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(settings.mlflow.tracking_uri)
    mlflow.set_registry_uri(settings.mlflow.tracking_uri)
    return mlflow.MlflowClient()


def _require_file(uri: str) -> None:
    """MLflow would try for minutes, and end with what SQLAlchemy says."""
    path = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not path.exists() and not os.access(path.resolve().parent, os.W_OK):
        raise ModelUnavailable(
            f"the registry's file {path} cannot be made: set MLFLOW_TRACKING_URI to a server, or to a file in a folder "
            "that can be written to"
        )


def public(uri: str) -> str:
    """The URI without the user and password that it may hold."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises MLflow's errors as ModelMissing, when the registry answered that there is no such thing, else as
    ModelUnavailable.

    The text goes to callers of the API; MLflow's own, which names hosts and libraries, is the error's cause.
    """
    try:
        yield
    except MlflowException as error:
        # The second is what it answers about an alias that names nothing.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise ModelMissing(
                f"{what}: the registry knows no such model, version, alias or artifact; credit train makes the first"
            ) from error
        raise ModelUnavailable(
            f"{what}: the registry does not answer as it should; see that MLflow runs where MLFLOW_TRACKING_URI says"
        ) from error
