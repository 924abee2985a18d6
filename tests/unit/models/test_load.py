"""What a model file may contain, and what is refused before it is read."""

import pickle
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from app.errors import ModelRefused
from app.models.cache import ModelCache
from app.models.load import UNCOMPILED, load_entry, load_estimator
from app.models.mlmodel import Saved
from app.models.predicting import Classifier, PredictProba
from app.scoring.model import ModelDocument
from app.settings import ServingSettings
from harness.fields import PLAIN
from tests.unit.scoring.test_model import IDENTITY

ROWS = np.arange(40.0).reshape(4, 10)


def saved(model: Any, path: Path) -> Path:
    skops.io.dump(model, path)
    return path


def load(path: Path, serialization: str = "skops", **settings: Any) -> Classifier:
    return load_estimator(path, Saved(path.name, serialization), ServingSettings(**settings))


def probabilities(classifier: Classifier, rows: Any) -> list[float]:
    return PredictProba(classifier).probabilities(rows)


def prior_classifier() -> Any:
    """Answers the training set's share of ones, 0.75, for every row."""
    return DummyClassifier(strategy="prior").fit(ROWS, [0, 1, 1, 1])


def test_a_model_of_trusted_types_is_loaded(tmp_path: Path) -> None:
    model = load(saved(prior_classifier(), tmp_path / "m.skops"))
    assert probabilities(model, ROWS.tolist()) == [0.75] * 4


def test_untrusted_types_are_refused_by_name(tmp_path: Path) -> None:
    path = saved(FunctionTransformer(pickle.loads), tmp_path / "m.skops")
    with pytest.raises(ModelRefused, match=r"not trusted: .*loads"):
        load(path)


def test_a_function_that_is_not_trusted_is_not_trusted_with_arguments_either(tmp_path: Path) -> None:
    path = saved(FunctionTransformer(partial(pickle.loads, b"")), tmp_path / "m.skops")
    with pytest.raises(ModelRefused, match=r"not trusted: .*loads.*serving\.trusted_types"):
        load(path)


def test_the_setting_adds_types_that_are_trusted(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(pickle.loads), prior_classifier())
    path = saved(model, tmp_path / "m.skops")
    (name,) = skops.io.get_untrusted_types(file=path)
    assert load(path, trusted_types=(name,)) is not None


def test_a_library_that_is_not_installed_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    (tmp_path / "model.ubj").write_bytes(b"")
    with pytest.raises(ModelRefused, match=r"needs xgboost 2\.1\.0, which is not installed.*extra boosting"):
        load_estimator(tmp_path / "model.ubj", Saved("model.ubj", "native", "xgboost", "2.1.0"), ServingSettings())


def test_where_nothing_reads_a_models_own_files_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(prior_classifier(), tmp_path / "m.skops")
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    needed = r"own files are needed to serve it, and skops is not installed: pip install '\.\[models\]' brings it"
    with pytest.raises(ModelRefused, match=needed):
        load(path)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "catboost"])
def test_a_damaged_file_of_another_library_is_refused_in_its_words(tmp_path: Path, library: str) -> None:
    (tmp_path / "model").write_bytes(b"no model")
    with pytest.raises(ModelRefused, match=rf"not a readable native file \(saved by {library} 1\.0, read by \d"):
        load_estimator(tmp_path / "model", Saved("model", "native", library, "1.0"), ServingSettings())


@pytest.mark.parametrize("serialization", ["pickle", "cloudpickle"])
def test_a_pickle_is_refused_unless_it_is_allowed(tmp_path: Path, serialization: str) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(prior_classifier()))
    with pytest.raises(ModelRefused, match=r"serving\.allow_pickle"):
        load(path, serialization)
    assert probabilities(load(path, serialization, allow_pickle=True), ROWS[:1].tolist()) == [0.75]


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = saved(prior_classifier(), tmp_path / "m.skops")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelRefused, match=r"m\.skops is not a readable skops file"):
        load(path)


def test_running_out_of_memory_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(**_: Any) -> Any:
        raise MemoryError

    path = saved(prior_classifier(), tmp_path / "m.skops")
    monkeypatch.setattr(skops.io, "load", exhausted)
    monkeypatch.setattr(skops.io, "get_untrusted_types", exhausted)
    with pytest.raises(MemoryError):
        load(path)


def test_a_model_without_probabilities_is_refused(tmp_path: Path) -> None:
    path = saved(LinearRegression().fit(ROWS, [0, 1, 1, 1]), tmp_path / "m.skops")
    with pytest.raises(ModelRefused, match="LinearRegression gives no probabilities"):
        load(path)


def test_an_uncompiled_entry_is_served_through_predict_proba(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    spec = {"kind": UNCOMPILED, "file": "m.skops", "serialization": "skops"}
    with cache.staging() as staged:
        (staged / "model").mkdir()
        saved(prior_classifier(), staged / "model" / "m.skops")
        entry = cache.commit(staged, ModelDocument(IDENTITY, PLAIN, spec, None, {}))
    assert load_entry(entry, ServingSettings()).score([0.0] * 11) == 0.75
