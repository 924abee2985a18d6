"""Searches for models that are about as good and treat groups more alike: less discriminatory alternatives.

Each alternative is the candidate's own method with other hyperparameters and without up to three factors, drawn at
random, fitted to the training rows and measured on the held-out ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.contract.contract import Contract
from app.errors import DataInvalid, SettingInvalid
from app.training import measures
from app.training.data import Dataset, Floats
from app.training.fit import Recipe, fit_candidate, predict_of
from app.training.groups import Group, measure_groups, ratio_of

DRAWN: dict[str, tuple[float | int, ...]] = {
    "learning_rate": (0.05, 0.1, 0.2),
    "max_iter": (60, 100, 200),
    "max_leaf_nodes": (4, 8, 16, 31),
    "min_samples_leaf": (100, 300, 600),
    "l2_regularization": (1.0, 20.0, 100.0),
    "max_features": (0.3, 0.5, 1.0),
}
MOST_WITHOUT = 3


@dataclass(frozen=True, slots=True)
class Alternative:
    """One model on the held-out rows; number 0 is the candidate."""

    number: int
    recipe: Recipe
    roc_auc: float
    brier: float
    approval_rate: float
    ratio: float
    """Of the lowest approval rate of a group to the highest of its column, in the column where that is lowest; NaN
    where nobody of the latter is approved."""
    low: float
    """Of the ratio's 95 % interval (Katz)."""
    high: float
    between: str
    """The column and its two groups."""


def drawn(number: int, contract: Contract, seed: int) -> Recipe:
    """What the alternative of that number, from 1 on, is fitted with; the same for a contract and a seed."""
    random = np.random.default_rng([seed, number])
    changed = {name: values[random.integers(len(values))] for name, values in DRAWN.items()}
    names = contract.factor_names
    count = int(random.integers(min(MOST_WITHOUT, len(names) - 1) + 1))
    left_out = sorted(random.choice(len(names), count, replace=False).tolist())
    return Recipe(changed, tuple(names[at] for at in left_out))


def require_groups(names: Sequence[str]) -> None:
    """Raises SettingInvalid where there are none. names: of the settings' train.groups."""
    if not names:
        raise SettingInvalid(
            "alternatives are compared by groups, and train.groups is empty: name the columns of the data that tell"
            " of groups, as TRAIN__GROUPS='[\"sex\"]'"
        )


def search(
    training: Dataset, held_out: Dataset, candidate: Floats, recipe: Recipe, count: int, threshold: float, seed: int
) -> list[Alternative]:
    """The candidate and so many alternatives, by number.

    candidate: its probabilities on the held-out rows. Raises DataInvalid where no group is large enough to compare.
    """
    found = [_measured(0, recipe, held_out, candidate, threshold)]
    for number in range(1, count + 1):
        other = drawn(number, training.contract, seed)
        predict = predict_of(fit_candidate(training, seed, other), training.contract)
        found.append(_measured(number, other, held_out, predict(held_out.features), threshold))
    return found


def frontier(found: Sequence[Alternative]) -> list[Alternative]:
    """Those that no other one beats in ROC AUC or ratio without losing in the other, the best ratio first."""
    best: list[Alternative] = []
    for it in sorted(found, key=lambda each: (-each.ratio, -each.roc_auc)):
        if it.ratio == it.ratio and (not best or it.roc_auc > best[-1].roc_auc):
            best.append(it)
    return best


def _measured(number: int, recipe: Recipe, held_out: Dataset, scores: Floats, threshold: float) -> Alternative:
    ratio, low, high, between = _furthest_apart(measure_groups(held_out, scores, threshold), held_out.name)
    return Alternative(
        number=number,
        recipe=recipe,
        roc_auc=measures.roc_auc(held_out.outcome, scores),
        brier=measures.brier(held_out.outcome, scores),
        approval_rate=float((scores < threshold).mean()),
        ratio=ratio,
        low=low,
        high=high,
        between=between,
    )


def _furthest_apart(groups: Sequence[Group], data: str) -> tuple[float, float, float, str]:
    """The lowest ratio of a column, its interval, and whose it is."""
    columns = [
        [group for group in groups if group.column == column]
        for column in dict.fromkeys(group.column for group in groups)
    ]
    compared = []
    for column in columns:
        least, most = (choose(column, key=lambda it: it.approval_rate) for choose in (min, max))
        ratio = ratio_of([most.approval_rate, least.approval_rate], [most.rows, least.rows], 1)
        compared.append((*ratio, f"{most.column}: {least.name} to {most.name}"))
    if not any(len(column) > 1 for column in columns):
        raise DataInvalid(
            f"{data}: no column of train.groups has two groups with ten defaulters and ten payers each among the"
            " held-out rows, so alternatives cannot be compared"
        )
    return min(compared, key=lambda it: (it[0] != it[0], it[0]))
