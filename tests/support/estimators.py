"""Fitted models: small ones whose rows have every quirk that a split can meet, and the one that training makes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from app.scoring.forms.extract import extract
from app.scoring.model import ScoringModel
from app.training.data import clean
from app.training.fit import fit_candidate, predict_of
from app.training.reference import build_reference
from harness.fields import CONTRACT
from harness.sample import synthetic_frame
from tests.support.fakes import constant_document

Rows = NDArray[np.float64]


def quirky_rows(count: int, columns: int, seed: int) -> Rows:
    """Rows with missing values, repeated values, integers and large numbers."""
    random = np.random.default_rng(seed)
    rows = random.lognormal(0, 2, (count, columns))
    rows[:, 1] = random.integers(0, 5, count)
    rows[:, 2] = random.choice([0.0, 0.9999999, 96.0, 98.0], count)
    rows[random.random(rows.shape) < 0.15] = np.nan
    return rows


def outcomes(rows: Rows) -> NDArray[np.int64]:
    """Outcomes that depend on values and on what is missing."""
    risk = np.nan_to_num(rows[:, 0], nan=3.0) + 2 * np.isnan(rows[:, 3]) - np.nan_to_num(rows[:, 1], nan=1.0)
    found: NDArray[np.int64] = (risk > np.median(risk)).astype(np.int64)
    return found


@pytest.fixture(scope="session")
def boosted() -> Any:
    rows = quirky_rows(3000, 10, seed=1)
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, min_samples_leaf=5, random_state=0)
    return model.fit(rows, outcomes(rows))


@pytest.fixture(scope="session")
def origin() -> Any:
    """The reference architecture's pipeline: eleven columns, the row number among them."""
    rows = quirky_rows(3000, 11, seed=2)
    rows[:, 0] = np.arange(1, 3001)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    return pipeline.fit(rows, outcomes(rows[:, 1:]))


@pytest.fixture(scope="session")
def trained_model() -> ScoringModel:
    """The candidate of the synthetic sample with its population, not registered."""
    dataset = clean(synthetic_frame(20), "sample", CONTRACT)
    with threadpool_limits(limits=1):
        estimator = fit_candidate(dataset, 20)
        known = build_reference(dataset, predict_of(estimator, CONTRACT), 0.05, 20, CONTRACT)
    return ScoringModel.compiled(replace(constant_document(0.5), spec=extract(estimator), reference=known))


@pytest.fixture(scope="session")
def applicants() -> Rows:
    """Wire vectors of another sample, of which the model has seen none."""
    return clean(synthetic_frame(3), "sample", CONTRACT).wire[:2000]
