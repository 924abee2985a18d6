"""The candidate, and the reference architecture's model beside it."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from app.features import FEATURES, RISK_DIRECTION
from app.training.data import Dataset, Floats

# Slow, small, strongly shrunken trees, each split choosing among three features: chosen by cross-validation on
# 75 000 applicants. Early stopping would hold rows back by position, which duplicates would straddle.
HYPERPARAMETERS: dict[str, float | int | bool] = {
    "learning_rate": 0.05,
    "max_iter": 200,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 300,
    "l2_regularization": 20.0,
    "max_features": 0.3,
    "early_stopping": False,
}


def fit_candidate(training: Dataset, seed: int) -> HistGradientBoostingClassifier:
    """Boosted trees on the ten features as they are: missing stays missing, and RISK_DIRECTION holds everywhere."""
    directions = [RISK_DIRECTION.get(name, 0) for name in FEATURES]
    model = HistGradientBoostingClassifier(**HYPERPARAMETERS, monotonic_cst=directions, random_state=seed)
    return model.fit(training.features, training.outcome)


def fit_origin(training: Dataset) -> Pipeline:
    """Logistic regression on all eleven columns, row number included, as the reference architecture trained it.

    A line to compare with in the report, never a candidate.
    """
    steps = [
        ("impute", SimpleImputer(strategy="median")),
        ("scale", StandardScaler()),
        ("regress", LogisticRegression(max_iter=1000)),
    ]
    return Pipeline(steps).fit(origin_inputs(training), training.outcome)


def origin_inputs(dataset: Dataset) -> Floats:
    """Eleven columns: the row number, then the features."""
    return np.column_stack([dataset.row_numbers, dataset.features])


def probabilities(model: HistGradientBoostingClassifier | Pipeline, inputs: Floats) -> Floats:
    """Probability of default of each row."""
    result: Floats = model.predict_proba(inputs)[:, 1]
    return result
