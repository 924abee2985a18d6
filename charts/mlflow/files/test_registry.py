"""Proves through the Service that a run, an artifact and a registered model can be kept and read back."""

import base64
import logging
import os
import secrets
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import mlflow
from mlflow.entities import ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

EXPERIMENT = "helm-test"
log = logging.getLogger("test")


def login() -> dict[str, str]:
    """The header of a user's, where MLflow asks for one."""
    if (user := os.environ.get("MLFLOW_TRACKING_USERNAME")) is None:
        return {}
    pair = f"{user}:{os.environ['MLFLOW_TRACKING_PASSWORD']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def status(address: str, headers: dict[str, str]) -> int:
    """HTTP status of a question that only the database can answer."""
    path = "/api/2.0/mlflow/registered-models/search?max_results=1"
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def names_are_answered(scheme: str, names: list[str], port: int) -> None:
    for name in names:
        address = f"{scheme}://{name}:{port}"
        if (seen := status(address, login())) != 200:
            raise SystemExit(f"{address} answers {seen}, not 200")
        log.info("%s answers", address)
    address = f"{scheme}://{names[0]}:{port}"
    if (seen := status(address, {"Host": "elsewhere.example"} | login())) != 403:
        raise SystemExit(f"a foreign Host header is answered with {seen}, not 403")
    if login() and (seen := status(address, {})) != 401:
        raise SystemExit(f"who does not log in is answered with {seen}, not 401")


def experiment_id(client: mlflow.MlflowClient) -> str:
    """The test's own experiment: MLflow keeps deleted ones, so each test takes the same one back."""
    found = client.search_experiments(view_type=ViewType.ALL, filter_string=f"name = '{EXPERIMENT}'")
    if not found:
        return client.create_experiment(EXPERIMENT)
    if found[0].lifecycle_stage == "deleted":
        client.restore_experiment(found[0].experiment_id)
    return found[0].experiment_id


def keeps_what_it_is_given(client: mlflow.MlflowClient) -> None:
    experiment = experiment_id(client)
    run = client.create_run(experiment)
    model = f"helm-test-{secrets.token_hex(8)}"
    text = secrets.token_hex(64)
    artifacts = get_artifact_repository(run.info.artifact_uri)
    try:
        client.log_text(run.info.run_id, text, "text.txt")
        read = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/text.txt")
        if read != text:
            raise SystemExit("the artifact was read back with other content")
        log.info("an artifact under %s is written and read back", run.info.artifact_uri)
        client.create_registered_model(model)
        version = client.create_model_version(model, run.info.artifact_uri, run.info.run_id).version
        client.set_registered_model_alias(model, "production", version)
        if (found := client.get_model_version_by_alias(model, "production").version) != version:
            raise SystemExit(f"the alias leads to version {found}, not {version}")
        client.delete_registered_model(model)
        log.info("a registered model and its alias are kept")
    finally:
        artifacts.delete_artifacts()
        client.delete_run(run.info.run_id)
        client.delete_experiment(experiment)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    address = urlsplit(os.environ["MLFLOW_TRACKING_URI"])
    names = [str(address.hostname), *os.environ["OTHER_NAMES"].split()]
    names_are_answered(address.scheme, names, address.port or 80)
    keeps_what_it_is_given(mlflow.MlflowClient())


if __name__ == "__main__":
    main()
