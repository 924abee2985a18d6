"""The connection to the registry, and its errors as this project's own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
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


log = logging.getLogger(__name__)


def connect(settings: Settings) -> mlflow.MlflowClient:
    """A client of the configured registry that gives up in seconds, since its callers retry by themselves."""
    for variable, value in IMPATIENCE.items():
        if not variable.is_set():  # type: ignore[no-untyped-call]
            variable.set(value)  # type: ignore[no-untyped-call]
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(settings.mlflow.tracking_uri)
    mlflow.set_registry_uri(settings.mlflow.tracking_uri)
    return mlflow.MlflowClient()


def public(uri: str) -> str:
    """The URI without the user and password that it may hold."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises MLflow's errors as ModelMissing, when the registry answered that there is no such thing, else as
    ModelUnavailable.

    The text goes to callers of the API; MLflow's own, which names hosts and libraries, goes to the log.
    """
    try:
        yield
    except MlflowException as error:
        log.warning("%s: %s", what, str(error).splitlines()[0])
        # The second is what it answers about an alias that names nothing.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise ModelMissing(f"{what}: the registry knows no such model, version, alias or artifact") from error
        raise ModelUnavailable(f"{what}: the registry does not answer as it should") from error
