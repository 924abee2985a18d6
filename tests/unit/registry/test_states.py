"""States that registries are found in: runs that are gone, stores that cannot be used, versions nobody judged."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from mlflow.store.artifact.s3_artifact_repo import _cached_get_s3_client
from sklearn.ensemble import RandomForestClassifier

from app.errors import ModelRefused, ModelUnavailable
from app.models.cache import read_entry
from app.models.document import with_golden_probabilities
from app.models.load import load_entry
from app.registry import Registered, adopt, document, promote, pull, pull_files, register, write_verdict
from app.registry.aliases import versions
from app.registry.client import connect
from app.scoring.model import ModelDocument
from app.settings import Settings
from tests.support.estimators import outcomes, quirky_rows
from tests.unit.registry.conftest import candidate_of, reference_of
from tests.unit.registry.test_pulling import artifact_of, log_plain

Named = Callable[..., Settings]

SKOPS = {"serialization_format": "skops", "skops_trusted_types": ["sklearn.tree._tree.Tree", "numpy.dtype"]}

pytestmark = pytest.mark.filterwarnings("ignore:.*(pickle|cloudpickle|input example|pip_requirements).*")


def elsewhere(settings: Settings) -> Settings:
    """The same registry, for somebody who has pulled nothing yet."""
    folder = settings.serving.cache_dir.with_name("elsewhere")
    return settings.model_copy(update={"serving": settings.serving.model_copy(update={"cache_dir": folder})})


def in_production(model: Any, settings: Settings) -> Registered:
    registered = document(register(candidate_of(model), settings), settings)
    promote(registered, True, ["good"], settings)
    return registered


def alias(settings: Settings) -> str:
    return f"models:/{settings.mlflow.model_name}@production"


def gone(settings: Settings, run_id: str) -> None:
    """As an operator removes runs."""
    connect(settings).delete_run(run_id)
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", settings.mlflow.tracking_uri]
    ended = subprocess.run([*command, "--run-ids", run_id], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_version_with_a_document_is_served_without_its_files(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("documented")
    registered = in_production(boosted, settings)
    (artifact_of("models:/documented/1") / "model.skops").unlink()
    found = read_entry(pull(alias(settings), elsewhere(settings)))
    assert found.identity.digest == registered.digest
    assert found.reference == reference_of(boosted)
    assert found.figures == {"roc_auc": 0.86}


def test_a_run_that_was_removed_breaks_neither_the_pull_nor_the_list(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("removed")
    registered = in_production(boosted, settings)
    register(candidate_of(boosted), settings)
    gone(settings, registered.run_id)
    assert [it.figures for it in versions(settings)] == [{"roc_auc": 0.86}, {}]
    found = read_entry(pull(alias(settings), elsewhere(settings)))
    assert (found.identity.digest, found.reference) == (registered.digest, reference_of(boosted))


def test_a_document_that_was_changed_is_refused(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("changed")
    registered = in_production(boosted, settings)
    folder = connect(settings).get_run(registered.run_id).info.artifact_uri
    path = Path(folder.removeprefix("file://"), "document.json")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelRefused, match="not the one that was registered .* credit registry adopt 1"):
        pull(alias(settings), elsewhere(settings))


def test_an_alias_moved_by_hand_to_what_nobody_judged_is_not_followed(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("moved-by-hand")
    register(candidate_of(boosted), settings)
    connect(settings).set_registered_model_alias("moved-by-hand", "production", "1")
    with pytest.raises(ModelRefused, match="no verdict of the gate .* credit registry adopt 1 .*require_verdict"):
        pull(alias(settings), settings)
    lenient = settings.serving.model_copy(update={"require_verdict": False})
    assert pull(alias(settings), settings.model_copy(update={"serving": lenient})).is_dir()
    assert pull("models:/moved-by-hand/1", settings).is_dir()  # whoever names a version means it


def test_other_files_than_those_that_passed_are_refused(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("other-files")
    registered = register(candidate_of(boosted), settings)
    digest = read_entry(pull("models:/other-files/1", settings)).identity.digest
    promote(replace(registered, digest=digest), True, [], settings)
    assert pull(alias(settings), settings).is_dir()
    (artifact_of("models:/other-files/1") / "extra_files" / "more").write_text("more")
    with pytest.raises(ModelRefused, match="are not those that passed the gate"):
        pull(alias(settings), elsewhere(settings))


def test_a_verdict_that_refuses_takes_back_the_one_before(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("taken-back")
    registered = in_production(boosted, settings)
    write_verdict(registered, False, ["too low"], settings)
    with pytest.raises(ModelRefused, match="was refused by the gate"):
        pull(alias(settings), elsewhere(settings))


def adopted_forest(settings: Settings) -> ModelDocument:
    """A model without a compiled form, adopted: its population is in the document alone."""
    rows = quirky_rows(300, 10, seed=12)
    forest = RandomForestClassifier(n_estimators=3, random_state=0).fit(rows, outcomes(rows))
    uri = log_plain(forest, settings, **SKOPS)
    model = load_entry(pull_files(uri, settings), settings.serving)
    described = replace(model.document, reference=reference_of(forest))
    found = with_golden_probabilities(replace(model, document=described))
    write_verdict(adopt(found, {"roc_auc": 0.7}, {}, settings), True, [], settings)
    connect(settings).set_registered_model_alias(settings.mlflow.model_name, "production", "1")
    return found


def test_an_adopted_model_without_a_compiled_form_comes_with_its_population(named_settings: Named) -> None:
    settings = named_settings("forest-adopted")
    found = adopted_forest(settings)
    model = load_entry(pull(alias(settings), elsewhere(settings)), settings.serving)
    assert model.document == found
    assert [it.figures for it in versions(settings)] == [{"roc_auc": 0.7}]


def test_its_files_must_still_be_the_adopted_ones(named_settings: Named) -> None:
    settings = named_settings("forest-changed")
    adopted_forest(settings)
    (artifact_of("models:/forest-changed/1") / "more").write_text("more")
    with pytest.raises(ModelRefused, match="about other files|not those that passed"):
        pull("models:/forest-changed/1", elsewhere(settings))


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        ("FAILED_REGISTRATION", ModelRefused, "its registration failed; register that model again"),
        ("PENDING_REGISTRATION", ModelUnavailable, "is still being registered"),
    ],
)
def test_a_registration_that_has_not_ended_well_is_not_served(
    boosted: Any, named_settings: Named, status: str, kind: type[Exception], told: str
) -> None:
    settings = named_settings(f"status-{status[0]}")
    name = settings.mlflow.model_name
    register(candidate_of(boosted), settings)
    database = settings.mlflow.tracking_uri.removeprefix("sqlite:///")
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE model_versions SET status = ? WHERE name = ?", (status, name))
    connection.close()
    with pytest.raises(kind, match=told):
        pull(f"models:/{name}/1", settings)


def forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials of this machine, and none that boto3 or MLflow remember of an earlier test."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL", raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    _cached_get_s3_client.cache_clear()


def test_a_store_that_does_not_answer_names_the_remedy(named_settings: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    settings = named_settings("s3-away")
    client, name = connect(settings), settings.mlflow.model_name
    client.create_registered_model(name)
    client.create_model_version(name, source="s3://nobodys-bucket/model")
    # A session that knows credentials stays with boto3: what the next test finds must not depend on it.
    with pytest.raises(
        ModelUnavailable, match=r"does not answer \(EndpointConnectionError\); .*MLFLOW_S3_ENDPOINT_URL"
    ):
        pull(f"models:/{name}/1", settings)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("s3://nobodys-bucket/model", r"wants credentials \(NoCredentialsError\); set .*AWS_ACCESS_KEY_ID"),
        ("gs://nobodys-bucket/model", r"needs the Python package google.*, which is not installed; install it"),
        ("/nowhere/at/all", "the registry|its store|its artifacts"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_with_the_remedy(
    named_settings: Named, monkeypatch: pytest.MonkeyPatch, source: str, told: str
) -> None:
    forget_aws(monkeypatch)
    settings = named_settings(source.replace("/", "-").replace(":", ""))
    client, name = connect(settings), settings.mlflow.model_name
    client.create_registered_model(name)
    client.create_model_version(name, source=source)
    with pytest.raises(ModelUnavailable, match=told) as caught:
        pull(f"models:/{name}/1", settings)
    assert "\n" not in str(caught.value)


def test_an_embedded_registry_that_cannot_be_opened_is_one_sentence(named_settings: Named, tmp_path: Path) -> None:
    settings = named_settings("unopened")
    mlflow_settings = settings.mlflow.model_copy(update={"tracking_uri": f"sqlite:///{tmp_path}/no/folder/mlflow.db"})
    with pytest.raises(ModelUnavailable, match="the registry's file .*/no/folder/mlflow.db cannot be made") as caught:
        pull("models:/m/1", settings.model_copy(update={"mlflow": mlflow_settings}))
    assert "\n" not in str(caught.value)
