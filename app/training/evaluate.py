"""What a model is worth: the figures that the report prints and the gate judges."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np

from app.scoring.reasons import ELDERLY_AGE
from app.training import measures
from app.training.data import Dataset, Flags, Floats, Integers
from app.training.fit import DEFAULT, Recipe, fit_candidate, probabilities
from app.training.split import folds, require_both_outcomes

Predict = Callable[[Floats], Floats]
"""The asked fields of each row -> probability of default of each row."""

FEWEST_OF_EACH_OUTCOME = 10
"""A slice with fewer defaulters or fewer payers gets no figures: they would be noise with decimals."""
SWEPT_ROWS = 300
MOST_GRID_VALUES = 40
ROUNDING = 1e-12
BETTER_BY = (0.1, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Measures:
    """One set of rows, scored once. NaN where a measure has no value, as precision has when nobody is refused."""

    rows: int
    bad_rate: float
    roc_auc: float
    brier: float
    calibration_error: float
    ks: float
    approval_rate: float
    recall: float
    """Share of the defaulters who are refused."""
    precision: float
    """Share of the refused who default."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A model on the held-out rows. A slice is None when it is too small to be measured."""

    overall: Measures
    roc_auc_low: float
    roc_auc_high: float
    elderly: Measures | None
    """Applicants of 62 and over; `younger` are the others."""
    younger: Measures | None
    monotonicity_violations: int
    withholding: int
    """Refused applicants who would be accepted if they left a nullable field out."""
    perverse: int
    """Accepted applicants who would be refused after a move that the contract calls better."""

    @property
    def elderly_auc_ratio(self) -> float:
        """ROC AUC of the elderly over that of the younger; NaN when it cannot be measured."""
        return _ratio(self, "roc_auc")

    @property
    def elderly_approval_ratio(self) -> float:
        """Approval rate of the elderly over that of the younger; NaN when it cannot be measured."""
        return _ratio(self, "approval_rate")


def measure(outcome: Integers, probability: Floats, threshold: float) -> Measures:
    """Every measure of one set of rows; refused is whoever reaches the threshold."""
    refused = probability >= threshold
    caught = float((refused & (outcome == 1)).sum())
    return Measures(
        rows=len(outcome),
        bad_rate=float(outcome.mean()),
        roc_auc=measures.roc_auc(outcome, probability),
        brier=measures.brier(outcome, probability),
        calibration_error=measures.calibration_error(outcome, probability),
        ks=measures.kolmogorov_smirnov(outcome, probability),
        approval_rate=float(1.0 - refused.mean()),
        recall=caught / outcome.sum() if outcome.any() else float("nan"),
        precision=caught / refused.sum() if refused.any() else float("nan"),
    )


def evaluate(
    held_out: Dataset, predict: Predict, threshold: float, rounds: int, seed: int, monotonicity_violations: int
) -> Figures:
    """The figures of one model on rows that it never saw."""
    probability = predict(held_out.features)
    low, high = measures.roc_auc_interval(held_out.outcome, probability, rounds, seed)
    age = held_out.contract.age
    elderly = None if age is None else held_out.column(age) >= ELDERLY_AGE

    def slice_of(chosen: Flags | None) -> Measures | None:
        if chosen is None:
            return None
        outcome = held_out.outcome[chosen]
        if min(outcome.sum(), (1 - outcome).sum()) < FEWEST_OF_EACH_OUTCOME:
            return None
        return measure(outcome, probability[chosen], threshold)

    return Figures(
        overall=measure(held_out.outcome, probability, threshold),
        roc_auc_low=low,
        roc_auc_high=high,
        elderly=slice_of(elderly),
        younger=slice_of(None if elderly is None else ~elderly),
        monotonicity_violations=monotonicity_violations,
        withholding=count_withholding(predict, held_out, threshold),
        perverse=count_perverse(predict, held_out, threshold),
    )


def cross_validate(dataset: Dataset, count: int, seed: int, threshold: float, recipe: Recipe = DEFAULT) -> Measures:
    """Mean of each measure over the folds of the whole file, held-out rows included; `rows` is their sum.

    Each fold is scored by a candidate fitted on the others. It says what to expect of the method; the gate
    judges the model itself, on the held-out rows alone.
    """
    fold = folds(dataset.features, count)
    found = []
    for number in range(count):
        rest, part = dataset.take(fold != number), dataset.take(fold == number)
        require_both_outcomes(rest, f"cross-validation's training (fold {number + 1})")
        require_both_outcomes(part, f"cross-validation's (fold {number + 1})")
        model = fit_candidate(rest, seed, recipe)
        found.append(measure(part.outcome, probabilities(model, part.factors), threshold))
    names = [field.name for field in fields(Measures) if field.name != "rows"]
    means = {name: float(np.mean([getattr(one, name) for one in found])) for name in names}
    return Measures(rows=len(dataset), **means)


def count_monotonicity_violations(predict: Predict, rows: Dataset, seed: int) -> int:
    """How often the risk moves against a field's direction when one value of a real row is swept over its range.

    Up to 300 of the rows; each field with a direction takes all its values, or forty of their quantiles.
    """
    random = np.random.default_rng(seed)
    features = rows.features
    chosen = features[random.permutation(len(features))[:SWEPT_ROWS]]
    violations = 0
    for column, asked in enumerate(rows.contract.asked):
        if not asked.direction:
            continue
        grid = np.unique(features[~np.isnan(features[:, column]), column])
        if len(grid) > MOST_GRID_VALUES:
            at = np.linspace(0, 1, MOST_GRID_VALUES)
            grid = np.unique(np.quantile(grid, at, method="inverted_cdf"))
        swept = np.repeat(chosen, len(grid), axis=0)
        swept[:, column] = np.tile(grid, len(chosen))
        steps = np.diff(predict(swept).reshape(len(chosen), len(grid)), axis=1)
        violations += int((steps * asked.direction < -ROUNDING).sum())
    return violations


def count_withholding(predict: Predict, rows: Dataset, threshold: float) -> int:
    """Refused applicants who would be accepted if they left out one nullable field, or all of them."""
    nullable = [at for at, asked in enumerate(rows.contract.asked) if asked.nullable]
    refused = rows.features[predict(rows.features) >= threshold]
    gained = np.zeros(len(refused), np.bool_)
    for columns in [*([at] for at in nullable), nullable]:
        changed = refused.copy()
        changed[:, columns] = np.nan
        gained |= predict(changed) < threshold
    return int(gained.sum())


def count_perverse(predict: Predict, rows: Dataset, threshold: float) -> int:
    """Accepted applicants who would be refused if one value with a direction were better by 10, 25 or 50 %."""
    accepted = rows.features[predict(rows.features) < threshold]
    lost = np.zeros(len(accepted), np.bool_)
    for column, asked in enumerate(rows.contract.asked):
        for share in BETTER_BY if asked.direction else ():
            changed = accepted.copy()
            changed[:, column] *= 1 - asked.direction * share
            lost |= predict(changed) >= threshold
    return int(lost.sum())


def flat(prefix: str, measured: Measures | None) -> dict[str, float]:
    """Metric name -> value, without what could not be measured."""
    if measured is None:
        return {}
    return {f"{prefix}{name}": float(value) for name, value in asdict(measured).items() if value == value}


def _ratio(figures: Figures, name: str) -> float:
    if figures.elderly is None or figures.younger is None:
        return float("nan")
    below: float = getattr(figures.younger, name)
    return float(getattr(figures.elderly, name)) / below if below else float("nan")
