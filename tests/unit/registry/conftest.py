"""A real MLflow registry in a SQLite file, and candidates for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.registry import Candidate
from app.scoring.model import FeatureReference, Reference
from app.settings import MlflowSettings, ServingSettings, Settings
from harness.fields import FEATURES, PLAIN
from tests.support.estimators import quirky_rows


def reference_of(model: Any) -> Reference:
    """A reference population whose golden rows are the model's own answers."""
    rows = quirky_rows(20, 10, seed=9)
    golden = [[None if np.isnan(value) else float(value) for value in row] for row in rows]
    known = FeatureReference(0.0, 100.0, [1.0], [0.5, 0.4], 0.1)
    return Reference(
        features=dict.fromkeys(FEATURES, known),
        score_edges=[0.05],
        score_shares=[0.8, 0.2],
        applicant=dict.fromkeys(FEATURES, 1.0),
        golden_rows=golden,
        golden_probabilities=[float(p) for p in model.predict_proba(rows)[:, 1]],
    )


def candidate_of(model: Any, reference: Reference | None = None) -> Candidate:
    return Candidate(
        estimator=model,
        contract=PLAIN,
        example=pd.DataFrame(quirky_rows(5, 10, seed=8), columns=list(FEATURES)),
        parameters={"seed": 1},
        figures={"roc_auc": 0.86},
        data_name="a test",
        data_digest="0" * 64,
        git_commit="c" * 40,
        reference=reference or reference_of(model),
        pictures={"roc.png": b"not really a picture"},
        card="# Card",
    )


@pytest.fixture(scope="session")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def named_settings(registry_folder: Path, tmp_path: Path) -> Callable[[str], Settings]:
    """Settings for one registered model of the shared registry, with a cache of the test's own."""

    def settings(name: str, **serving: Any) -> Settings:
        return Settings(
            mlflow=MlflowSettings(model_name=name, tracking_uri=f"sqlite:///{registry_folder / 'mlflow.db'}"),
            serving=ServingSettings(cache_dir=tmp_path / "cache", **serving),
        )

    return settings
