"""A model's own words become its document; what they leave open is refused or told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from app.errors import ModelRefused, ModelUnavailable
from app.models import describe
from app.models.cache import ModelCache
from app.models.describe import document_of
from app.models.load import MODEL_FOLDER, UNCOMPILED, load_entry
from app.models.mlmodel import read_mlmodel
from app.scoring.forms.extract import extract
from app.scoring.model import ModelDocument
from app.settings import ROOT, ServingSettings
from harness.fields import CONTRACT, FEATURES
from tests.support.estimators import outcomes, quirky_rows
from tests.unit.scoring.test_model import IDENTITY

ROWS = quirky_rows(600, 10, seed=31)
OUTCOMES = outcomes(ROWS)


def boosted(**changed: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=5, **changed).fit(ROWS, OUTCOMES)


def saved(model: Any, folder: Path, version: str = "", inputs: list[dict[str, str]] | None = None) -> Path:
    """As MLflow saves it."""
    folder.mkdir(exist_ok=True)
    skops.io.dump(model, folder / "model.skops")
    flavor = {"pickled_model": "model.skops", "serialization_format": "skops", "sklearn_version": version}
    signature = None if inputs is None else {"inputs": json.dumps(inputs)}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": flavor}, "signature": signature}))
    return folder


def described(folder: Path, positive_class: str = "", **settings: Any) -> ModelDocument:
    return document_of(folder, IDENTITY, {}, positive_class, ServingSettings(**settings), CONTRACT)


def test_a_model_that_says_all_has_no_warnings(tmp_path: Path) -> None:
    inputs = [{"type": "double", "name": name} for name in FEATURES]
    assert described(saved(boosted(), tmp_path, inputs=inputs)).warnings == []


@pytest.mark.parametrize("file", ["../model.skops", "/etc/passwd", "a/../../model.skops", "elsewhere/model.skops"])
def test_a_file_outside_of_the_models_folder_is_refused(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "elsewhere").symlink_to(tmp_path)
    flavors = {"sklearn": {"pickled_model": file, "serialization_format": "skops"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    with pytest.raises(ModelRefused, match="a file outside of the model's folder"):
        read_mlmodel(folder, "models:/m/1")


def test_columns_that_nothing_names_are_taken_in_order_and_it_is_told(tmp_path: Path) -> None:
    document = described(saved(boosted(), tmp_path))
    assert document.contract.factor_names == FEATURES
    assert document.warnings == ["the model names no columns: its 10 inputs are taken in the wire vector's order"]


@pytest.mark.parametrize("kind", ["string", "binary", "datetime"])
def test_a_column_that_is_no_number_is_refused(tmp_path: Path, kind: str) -> None:
    inputs = [{"type": "double", "name": name} for name in FEATURES]
    inputs[1]["type"] = kind
    with pytest.raises(ModelRefused, match=f"'age' as {kind}"):
        described(saved(boosted(), tmp_path, inputs=inputs))


def test_a_compiled_form_that_fails_its_proof_is_not_served_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = boosted()

    def wrong(estimator: Any, positive: int) -> Any:
        return {**extract(estimator, positive), "baseline": 0.5}

    monkeypatch.setattr(describe, "extract", wrong)
    cache = ModelCache(tmp_path)
    with cache.staging() as staged:
        document = described(saved(model, staged / MODEL_FOLDER))
        entry = cache.commit(staged, document)
    assert document.spec["kind"] == UNCOMPILED
    assert "the compiled form failed its proof: one row at a time, row 0" in document.warnings[-1]
    served = load_entry(entry, ServingSettings())
    assert [served.score([0.0, *row]) for row in ROWS[:20].tolist()] == model.predict_proba(ROWS[:20])[:, 1].tolist()


def test_a_class_without_a_compiled_form_is_served_by_its_first_class_too(tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=3000))
    model.fit(ROWS, np.where(OUTCOMES == 1, "default", "paid"))
    cache = ModelCache(tmp_path)
    with cache.staging() as staged:
        entry = cache.commit(staged, described(saved(model, staged / MODEL_FOLDER), "default"))
    served = load_entry(entry, ServingSettings())
    assert served.document.positive_class == "default"
    assert [served.score([0.0, *row]) for row in ROWS[:20].tolist()] == [
        model.predict_proba(row[None])[0, 0] for row in ROWS[:20]
    ]


def test_a_parameter_that_scikit_learn_no_longer_has_is_refused(tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=3000)).fit(ROWS, OUTCOMES)
    model[-1].multi_class = "multinomial"
    with pytest.raises(ModelRefused, match=r"multi_class='multinomial'\) means nothing any more \(saved by"):
        described(saved(model, tmp_path, "1.5.2"))
    model[-1].multi_class = "deprecated"
    document = described(saved(model, tmp_path, "1.5.2"))
    assert "saved by scikit-learn 1.5.2, read by" in document.warnings[-1]


def test_a_model_that_fails_names_both_versions_when_another_release_saved_it(tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=3000)).fit(ROWS, OUTCOMES)
    del model[0]._fill_dtype
    with pytest.raises(ModelRefused, match=r"AttributeError.*_fill_dtype.*saved by scikit-learn 1\.5\.2, read by 1\."):
        described(saved(model, tmp_path, "1.5.2"))


def test_columns_that_the_model_looks_up_by_name_are_given_by_name(tmp_path: Path) -> None:
    import pandas as pd

    table = pd.DataFrame(ROWS[:, ::-1], columns=list(FEATURES)[::-1])
    imputed = ColumnTransformer([("imputed", SimpleImputer(), list(FEATURES))])
    model = make_pipeline(imputed, LogisticRegression(max_iter=3000)).fit(table, OUTCOMES)
    cache = ModelCache(tmp_path)
    with cache.staging() as staged:
        document = described(saved(model, staged / MODEL_FOLDER))
        entry = cache.commit(staged, document)
    assert document.spec["names"] == list(FEATURES)[::-1]
    assert document.contract.factor_names == FEATURES[::-1]
    served = load_entry(entry, ServingSettings())
    expected = [model.predict_proba(table.iloc[[row]])[0, 1] for row in range(20)]
    assert [served.score([0.0, *row]) for row in ROWS[:20].tolist()] == expected


def test_a_model_that_needs_no_names_is_asked_without(tmp_path: Path) -> None:
    import pandas as pd

    table = pd.DataFrame(ROWS, columns=list(FEATURES))
    model = make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=3000)).fit(table, OUTCOMES)
    document = described(saved(model, tmp_path))
    assert document.spec["kind"] == UNCOMPILED
    assert document.spec["names"] is None


def test_an_estimator_that_says_nothing_of_its_classes_is_refused(tmp_path: Path) -> None:
    model = boosted()
    del model.classes_
    with pytest.raises(ModelRefused, match="does not say which classes it knows"):
        described(saved(model, tmp_path))


def test_a_folder_without_a_description_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no MLmodel"):
        described(tmp_path)


def test_describing_loads_no_mlflow_and_no_pandas(tmp_path: Path) -> None:
    script = "import sys; from app.models import describe; print({'mlflow', 'pandas', 'sklearn'} & {*sys.modules})"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"
