"""The connection to the registry, and its errors as this project's own."""

import logging
import os
import re
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
    MLFLOW_TRACKING_PASSWORD,
    MLFLOW_TRACKING_TOKEN,
    MLFLOW_TRACKING_USERNAME,
)
from mlflow.exceptions import MlflowException

from app.errors import CreditError, ModelForbidden, ModelMissing, ModelUnavailable
from app.models.pointer import CREDENTIALS_REFUSED
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


NAMES_NOTHING = "RESOURCE_DOES_NOT_EXIST"
REFUSES = "INVALID_PARAMETER_VALUE"
"""The second is what MLflow answers about an alias that names nothing too."""
FORBIDDEN = ("PERMISSION_DENIED", "UNAUTHENTICATED")


def connect(settings: Settings) -> mlflow.MlflowClient:
    """A client of the configured registry that gives up in seconds, since its callers retry by themselves.

    Raises ModelUnavailable when an embedded registry's file is not there and cannot be made.
    """
    _require_file(settings.mlflow.tracking_uri)
    for variable, value in IMPATIENCE.items():
        if not variable.is_set():  # type: ignore[no-untyped-call]
            variable.set(value)  # type: ignore[no-untyped-call]
    # The client reads them from the environment alone.
    of_settings = settings.mlflow
    secrets = {
        MLFLOW_TRACKING_USERNAME: of_settings.username,
        MLFLOW_TRACKING_PASSWORD: of_settings.password.get_secret_value(),
        MLFLOW_TRACKING_TOKEN: of_settings.token.get_secret_value(),
    }
    for secret, text in secrets.items():
        if text:
            secret.set(text)  # type: ignore[no-untyped-call]
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
    """Raises every error of the registry and of its store as one sentence with the remedy.

    ModelMissing when the registry answered that there is no such thing, else ModelUnavailable. Errors of this
    project's own pass. The text goes to API clients; the library's own, which names hosts and libraries, is the error's
    cause.
    """
    try:
        yield
    except (CreditError, MemoryError):
        raise
    except Exception as error:  # the stores behind MLflow raise what their libraries do, of which there are many
        cause = _cause(error)
        kind = ModelForbidden if cause == CREDENTIALS_REFUSED else ModelUnavailable
        if _names_nothing(error):
            kind = ModelMissing
        raise kind(f"{what}: {cause}") from error


def _names_nothing(error: Exception) -> bool:
    """Whether the registry answered that there is no such thing. Of an alias it says that as of a bad parameter."""
    code = getattr(error, "error_code", "")
    return code == NAMES_NOTHING or (code == REFUSES and re.search(r"alias .*not found", str(error)) is not None)


NO_CONNECTION = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError")
"""What botocore calls an S3 server that cannot be reached."""


def _cause(error: Exception) -> str:
    """What went wrong, and what to do about it."""
    causes = list(_chain(error))
    for cause in causes:
        # Of a namespace that others have a part of, such as google.cloud, a missing part is no missing module.
        if isinstance(cause, ImportError) and cause.name and cause.path is None:
            return (
                f"its store needs the Python package {cause.name}, which is not installed; install it, or let the"
                " MLflow server hand its artifacts on (mlflow server --serve-artifacts)"
            )
        if "Credential" in type(cause).__name__:
            return (
                f"its store wants credentials ({type(cause).__name__}); set the store's own, such as"
                " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let the MLflow server hand its artifacts on"
                " (mlflow server --serve-artifacts)"
            )
        if type(cause).__name__ in NO_CONNECTION:
            return (
                f"its store does not answer ({type(cause).__name__}); see that it runs and can be reached from here:"
                " for S3 that is MLFLOW_S3_ENDPOINT_URL, or AWS where that is empty"
            )
    text = " ".join(str(error).split())
    if re.search(r"error code 40[13]\b", text) or getattr(error, "error_code", "") in FORBIDDEN:
        return CREDENTIALS_REFUSED
    if _names_nothing(error):
        return "the registry knows no such model, version, alias or artifact; credit train makes the first"
    if "/logged-models failed with error code 404" in text:
        return (
            "its MLflow server is older than 3.0, which registering a model needs; what it holds can be adopted,"
            " promoted and served"
        )
    if getattr(error, "error_code", "") == REFUSES:
        return "the registry refuses what it was asked; the cause has its own words"
    if "/mlflow-artifacts/" in text and "500 error" in text:
        return "its object store does not take or give a file; see in MLflow's log why, and whether it has space"
    if isinstance(error, MlflowException):
        return "the registry does not answer as it should; see that MLflow runs where MLFLOW_TRACKING_URI says"
    if isinstance(error, OSError) and error.strerror:
        return f"its store cannot be used: {error.strerror}; the cause names the place"
    return f"its store fails ({type(error).__name__}); the cause has its own words"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
