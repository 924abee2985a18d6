"""The candidate, and the reference architecture's model beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from app.contract.computed import ComputedFactors, wire_rows
from app.contract.contract import Contract
from app.training.data import Dataset, Floats

# Small, strongly shrunken trees, each split choosing among half of the factors: chosen by cross-validation on
# 75 000 applicants. Early stopping would hold rows back by position, which duplicates would straddle.
HYPERPARAMETERS: dict[str, float | int | bool] = {
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 300,
    "l2_regularization": 20.0,
    "max_features": 0.5,
    "early_stopping": False,
}


FEWEST_IN_A_LEAF = 10
ROWS_A_LEAF = 200
"""A small table has leaves of one in so many of its rows."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a candidate is fitted with otherwise than by default; `without` names factors that it must not use."""

    changed: Mapping[str, float | int] = field(default_factory=dict)
    without: tuple[str, ...] = ()


DEFAULT = Recipe()


def fit_candidate(training: Dataset, seed: int, recipe: Recipe = DEFAULT) -> HistGradientBoostingClassifier:
    """Boosted trees on the factors of the contract: missing stays missing, and every direction holds everywhere."""
    contract, factors = training.contract, training.factors
    # No tree splits on a factor of one value; the model still takes it, so that one contract fits every recipe.
    factors[:, [contract.factor_names.index(name) for name in recipe.without]] = 0.0
    model = HistGradientBoostingClassifier(
        **hyperparameters(len(training), recipe),
        monotonic_cst=[factor.direction for factor in contract.factors],
        categorical_features=[bool(values) for values in contract.categories] if any(contract.categories) else None,
        random_state=seed,
    )
    return model.fit(factors, training.outcome)


def hyperparameters(rows: int, recipe: Recipe = DEFAULT) -> dict[str, float | int | bool]:
    """HYPERPARAMETERS with the recipe's, but for a table so small that it would have no leaves."""
    chosen = HYPERPARAMETERS | dict(recipe.changed)
    leaf = min(int(chosen["min_samples_leaf"]), max(FEWEST_IN_A_LEAF, rows // ROWS_A_LEAF))
    return chosen | {"min_samples_leaf": leaf}


def predict_of(model: HistGradientBoostingClassifier, contract: Contract) -> Callable[[Floats], Floats]:
    """From rows of the asked fields to their probabilities of default."""
    factors = ComputedFactors(contract)
    return lambda features: probabilities(model, factors.matrix(wire_rows(contract, features)))


def fit_origin(training: Dataset) -> Pipeline:
    """Logistic regression on all columns, row number included, as the reference architecture trained it.

    A line to compare with in the report, never a candidate.
    """
    steps = [
        ("impute", SimpleImputer(strategy="median")),
        ("scale", StandardScaler()),
        ("regress", LogisticRegression(max_iter=1000)),
    ]
    return Pipeline(steps).fit(origin_inputs(training), training.outcome)


def origin_inputs(dataset: Dataset) -> Floats:
    """The row number, then the fields, of a category its code."""
    return np.column_stack([dataset.row_numbers, dataset.features])


def probabilities(model: HistGradientBoostingClassifier | Pipeline, inputs: Floats) -> Floats:
    """Probability of default of each row."""
    result: Floats = model.predict_proba(inputs)[:, 1]
    return result
