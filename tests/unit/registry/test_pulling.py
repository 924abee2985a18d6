"""Pulling models from a real registry: what comes, from where, and what is refused."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import numpy as np
import pytest
from mlflow.pyfunc.model import PythonModel
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from app.errors import ModelMissing, ModelRefused, ModelUnavailable
from app.models.cache import ModelCache, read_entry
from app.models.load import TRUSTED_TYPES, load_entry
from app.registry import bounded, document, promote, pull, register
from app.registry.client import connect
from app.settings import ROOT, Settings
from scripts.credit import PROGRAM
from tests.support.estimators import outcomes, quirky_rows
from tests.unit.registry.conftest import candidate_of, reference_of

Named = Callable[..., Settings]

pytestmark = pytest.mark.filterwarnings("ignore:.*(pickle|cloudpickle|input example|pip_requirements).*")


def log_plain(model: Any, settings: Settings, **options: Any) -> str:
    """Register a model the way its author would without this project; gives its version's URI."""
    connect(settings)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=settings.mlflow.model_name,
            pip_requirements=["scikit-learn"],
            **options,
        )
    return f"models:/{settings.mlflow.model_name}/{info.registered_model_version}"


def artifact_of(uri: str) -> Path:
    """The folder of the registry that holds a model's files."""
    return Path(mlflow.artifacts.download_artifacts(uri))


def test_alias_version_and_run_give_the_same_model(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("three-ways")
    registered = document(register(candidate_of(boosted), settings), settings)
    promote(registered, True, [], settings)
    uris = ["models:/three-ways@production", "models:/three-ways/1", f"runs:/{registered.run_id}/model"]
    rows = quirky_rows(50, 10, seed=10)
    expected = boosted.predict_proba(rows)[:, 1].tolist()
    for uri in uris:
        model = load_entry(pull(uri, settings), settings.serving)
        assert [model.score([0.0, *row]) for row in rows.tolist()] == expected
    assert model.document.figures == {"roc_auc": 0.86}
    assert model.document.reference == reference_of(boosted)


def test_a_version_in_the_cache_is_not_downloaded_again(
    boosted: Any, named_settings: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = named_settings("cached", pull_megabytes=1)
    register(candidate_of(boosted), settings)
    entry = pull("models:/cached/1", settings)

    def no_download(**_: Any) -> str:
        raise AssertionError("downloaded again")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", no_download)
    assert pull("models:/cached/1", settings) == entry


def test_a_model_over_the_size_limit_is_refused_before_it_is_downloaded(
    boosted: Any, named_settings: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = named_settings("large", pull_megabytes=1)
    registered = register(candidate_of(boosted), settings)
    padding = artifact_of("models:/large/1") / "extra_files" / "padding"
    padding.write_bytes(bytes(1 << 20))

    def no_download(**_: Any) -> str:
        raise AssertionError("downloaded")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", no_download)
    for uri in ("models:/large/1", f"runs:/{registered.run_id}/model"):
        with pytest.raises(ModelRefused, match=r"more than serving\.pull_megabytes = 1 allows"):
            pull(uri, settings)


def test_the_cache_holds_no_more_versions_than_the_setting_says(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("many", cache_versions=2)
    for number in range(1, 4):
        register(candidate_of(boosted), settings)
        pull(f"models:/many/{number}", settings)
    held = ModelCache(settings.serving.cache_dir)
    assert [len(held.versions("many", str(number))) for number in range(1, 4)] == [0, 1, 1]


def test_a_pull_that_runs_out_of_memory_names_the_setting(
    named_settings: Named, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: Any) -> Path:
        raise MemoryError

    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(bounded, "pull", exhausted)
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setenv("SERVING__PULL_MEMORY_MEGABYTES", "400")
    assert bounded.pull_and_print("models:/m/1") == 1
    assert "more memory than serving.pull_memory_megabytes = 400 allows" in capsys.readouterr().err
    assert limits == [(resource.RLIMIT_DATA, (400 << 20, 400 << 20))]


def test_a_damaged_cache_entry_is_pulled_again(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("damaged")
    register(candidate_of(boosted), settings)
    entry = pull("models:/damaged/1", settings)
    (entry / "model.json").write_text("{}")
    assert read_entry(pull("models:/damaged/1", settings)).identity.version == "1"


def test_a_registry_made_anew_is_not_answered_from_the_old_ones_cache(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("anew")
    register(candidate_of(boosted), settings)
    entry = pull("models:/anew/1", settings)
    connect(settings).delete_registered_model("anew")
    second = register(candidate_of(boosted), settings)
    assert second.version == "1"
    assert read_entry(pull("models:/anew/1", settings)).identity.run_id == second.run_id
    assert read_entry(entry).identity.run_id != second.run_id


def test_the_origins_eleven_column_pipeline_gets_all_eleven_positions(origin: Any, named_settings: Named) -> None:
    settings = named_settings("origin")
    uri = log_plain(origin, settings, serialization_format="skops", skops_trusted_types=list(TRUSTED_TYPES))
    model = load_entry(pull(uri, settings), settings.serving)
    rows = quirky_rows(50, 11, seed=11)
    found = np.array([model.score(row) for row in rows.tolist()])
    assert np.abs(found - origin.predict_proba(rows)[:, 1]).max() <= 1e-12


def test_a_classifier_without_a_compiled_form_is_served_uncompiled(named_settings: Named) -> None:
    settings = named_settings("forest")
    rows = quirky_rows(300, 10, seed=12)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(rows, outcomes(rows))
    uri = log_plain(forest, settings, serialization_format="skops", skops_trusted_types=list(TRUSTED_TYPES))
    model = load_entry(pull(uri, settings), settings.serving)
    assert model.document.spec["kind"] == "uncompiled"
    assert [model.score([0.0, *row]) for row in rows[:9].tolist()] == forest.predict_proba(rows[:9])[:, 1].tolist()


def test_a_pickled_model_is_refused_unless_it_is_allowed(boosted: Any, named_settings: Named) -> None:
    uri = log_plain(boosted, named_settings("pickled"), serialization_format="cloudpickle")
    with pytest.raises(ModelRefused, match="runs code when it is read"):
        pull(uri, named_settings("pickled"))
    assert pull(uri, named_settings("pickled", allow_pickle=True)).is_dir()


def test_golden_probabilities_of_another_model_are_refused(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("swapped")
    reference = reference_of(boosted)
    moved = replace(reference, golden_probabilities=[p / 2 for p in reference.golden_probabilities])
    register(candidate_of(boosted, moved), settings)
    with pytest.raises(ModelRefused, match="golden row 0"):
        pull("models:/swapped/1", settings)


def test_a_truncated_artifact_is_refused_and_leaves_nothing_in_the_cache(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("truncated")
    register(candidate_of(boosted), settings)
    path = artifact_of("models:/truncated/1") / "model.skops"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelRefused, match="not a readable skops file"):
        pull("models:/truncated/1", settings)
    assert [p for p in settings.serving.cache_dir.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("MLmodel", "flavors: ["),
        ("MLmodel", "- 1"),
        ("extra_files/reference.json", "{"),
        ("extra_files/reference.json", "{}"),
    ],
)
def test_a_description_that_cannot_be_read_is_refused(
    boosted: Any, named_settings: Named, file: str, content: str
) -> None:
    settings = named_settings("undescribed")
    uri = f"models:/undescribed/{register(candidate_of(boosted), settings).version}"
    (artifact_of(uri) / file).write_text(content)
    with pytest.raises(ModelRefused, match="its description cannot be read"):
        pull(uri, settings)


def test_artifacts_that_are_gone_are_unavailable(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("gone")
    register(candidate_of(boosted), settings)
    shutil.rmtree(artifact_of("models:/gone/1"))
    with pytest.raises(ModelUnavailable, match=r"models:/gone/1 cannot be had"):
        pull("models:/gone/1", settings)


@pytest.mark.parametrize("uri", ["models:/nobody@production", "models:/nobody/3", f"runs:/{'0' * 32}/model"])
def test_a_model_that_does_not_exist_is_missing(named_settings: Named, uri: str) -> None:
    with pytest.raises(ModelMissing, match=uri):
        pull(uri, named_settings("nobody"))


def test_what_callers_are_told_of_a_dead_registry_names_no_password_and_no_library(named_settings: Named) -> None:
    settings = named_settings("dead")
    mlflow_settings = settings.mlflow.model_copy(update={"tracking_uri": "http://user:s3cret@127.0.0.1:9"})
    with pytest.raises(ModelUnavailable) as told:
        pull("models:/dead/1", settings.model_copy(update={"mlflow": mlflow_settings}))
    assert "127.0.0.1:9" in str(told.value)
    assert "s3cret" not in str(told.value)
    assert "HTTPConnection" not in str(told.value)


class NoSklearn(PythonModel):
    def predict(self, context: object, model_input: list[str], params: object = None) -> list[str]:
        return model_input


def test_a_model_of_another_library_is_refused(named_settings: Named) -> None:
    settings = named_settings("foreign")
    connect(settings)
    with mlflow.start_run():
        mlflow.pyfunc.log_model(name="model", python_model=NoSklearn(), registered_model_name="foreign")
    with pytest.raises(ModelRefused, match="no scikit-learn model"):
        pull("models:/foreign/1", settings)


@pytest.mark.parametrize(("uri", "code"), [("models:/cli/1", 0), ("models:/cli@nobody", 5), ("models:/cli-bad/1", 4)])
def test_the_command_lines_exit_code_says_what_happened(
    boosted: Any, named_settings: Named, monkeypatch: pytest.MonkeyPatch, uri: str, code: int
) -> None:
    settings = named_settings(uri.split("/")[1].split("@")[0])
    reference = reference_of(boosted)
    if code == 4:
        reference = replace(reference, golden_probabilities=[0.5] * 20)
    register(candidate_of(boosted, reference), settings)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.mlflow.tracking_uri)
    monkeypatch.setenv("SERVING__CACHE_DIR", str(settings.serving.cache_dir))
    command = [PROGRAM, "registry", "pull", uri]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    if code == 0:
        assert (Path(ended.stdout.splitlines()[-1]) / "model.json").exists()
    else:
        assert ended.stderr.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in ended.stderr


def test_a_tag_that_is_set_or_changed_later_decides_which_class_means_default(named_settings: Named) -> None:
    settings = named_settings("tagged")
    rows = quirky_rows(300, 10, seed=13)
    model = HistGradientBoostingClassifier(max_iter=5).fit(rows, np.where(outcomes(rows) == 1, "bad", "good"))
    uri = log_plain(model, settings, serialization_format="skops", skops_trusted_types=list(TRUSTED_TYPES))
    with pytest.raises(ModelRefused, match="'bad', 'good'"):
        pull(uri, settings)
    for index, name in ((1, "good"), (0, "bad")):
        connect(settings).set_model_version_tag("tagged", "1", "positive_class", name)
        served = load_entry(pull(uri, settings), settings.serving)
        assert served.score([0.0, *rows[0]]) == pytest.approx(model.predict_proba(rows[:1])[0, index], abs=1e-15)


def test_a_setting_that_is_changed_later_decides_which_class_means_default(named_settings: Named) -> None:
    rows = quirky_rows(300, 10, seed=13)
    model = HistGradientBoostingClassifier(max_iter=5).fit(rows, np.where(outcomes(rows) == 1, "bad", "good"))
    options = {"serialization_format": "skops", "skops_trusted_types": list(TRUSTED_TYPES)}
    uri = log_plain(model, named_settings("set"), **options)
    for index, name in ((1, "good"), (0, "bad")):
        settings = named_settings("set", positive_class=name)
        served = load_entry(pull(uri, settings), settings.serving)
        assert served.score([0.0, *rows[0]]) == pytest.approx(model.predict_proba(rows[:1])[0, index], abs=1e-15)
