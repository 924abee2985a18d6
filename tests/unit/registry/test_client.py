"""What the failures of registries become."""

import pytest
from mlflow.exceptions import MlflowException

from app.errors import ModelError, ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.registry.client import translated

NOT_FOUND = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"


class DefaultCredentialsError(Exception):
    """By the name that Google's libraries give it."""


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (
            # As a server of MLflow 2.22.0 answers a client of 3.17.2.
            MlflowException(
                "API request to endpoint /api/2.0/mlflow/logged-models failed with error code 404 != 200. "
                f"Response body: '{NOT_FOUND}'"
            ),
            ModelUnavailable,
            "older than 3.0, which registering a model needs; what it holds can be adopted",
        ),
        (
            MlflowException("API request to endpoint /x failed with error code 401 != 200. Response body: 'no'"),
            ModelForbidden,
            "set MLFLOW_TRACKING_USERNAME",
        ),
        (
            # As MLflow's client says it when the server's MinIO is full.
            MlflowException(
                "API request to http://h/api/2.0/mlflow-artifacts/artifacts/1/a/roc.png failed with exception"
                " HTTPConnectionPool(host='h', port=1): Max retries exceeded with url: /roc.png"
                " (Caused by ResponseError('too many 500 error responses'))"
            ),
            ModelUnavailable,
            "its object store does not take or give a file; see in MLflow's log why, and whether it has space",
        ),
        (ModuleNotFoundError("No module named 'azure'", name="azure"), ModelUnavailable, "package azure, which is not"),
        (DefaultCredentialsError("none"), ModelUnavailable, r"wants credentials \(DefaultCredentialsError\)"),
        (PermissionError(13, "Permission denied", "/srv/x"), ModelUnavailable, "cannot be used: Permission denied;"),
        (RuntimeError("at host-7:\nno"), ModelUnavailable, r"its store fails \(RuntimeError\); the cause has"),
        (RuntimeError(), ModelUnavailable, "its store fails"),
        (MlflowException("x", error_code=5), ModelUnavailable, "does not answer as it should"),
        (
            MlflowException.invalid_parameter_value("Registered model alias production not found."),
            ModelMissing,
            "knows no such model",
        ),
        (MlflowException.invalid_parameter_value("name is too long"), ModelUnavailable, "refuses what it was asked"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Exception) else "",
)
def test_every_failure_is_one_sentence_of_this_projects_own(error: Exception, kind: type, told: str) -> None:
    with pytest.raises(ModelError, match=f"^cannot do it: .*{told}") as caught, translated("cannot do it"):
        raise error
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert "host-7" not in str(caught.value)


def test_what_lies_behind_mlflows_error_is_what_is_told() -> None:
    error = MlflowException("the artifacts cannot be listed")
    error.__cause__ = ModuleNotFoundError("No module named 'boto3'", name="boto3")
    with pytest.raises(ModelUnavailable, match="needs the Python package boto3"), translated("cannot do it"):
        raise error


@pytest.mark.parametrize("error", [ModelRefused("untrusted"), MemoryError()])
def test_what_is_no_failure_of_the_registry_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated("cannot do it"):
        raise error
    assert caught.value is error


def test_an_import_that_fails_without_naming_a_package_names_none() -> None:
    with pytest.raises(ModelUnavailable) as caught, translated("its files cannot be had"):
        raise MlflowException("the store") from ImportError("Please install what this needs")
    assert "package None" not in str(caught.value)
