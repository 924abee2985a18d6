"""How a model treats groups that it does not see: those of columns that are kept from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from fairlearn.metrics import MetricFrame, count, selection_rate

from app.training import measures
from app.training.data import Dataset, Floats, Texts
from app.training.evaluate import FEWEST_OF_EACH_OUTCOME

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Group:
    """The held-out applicants who have one text in one column."""

    column: str
    name: str
    rows: int
    approval_rate: float
    approval_ratio: float
    """Approval rate over that of the largest group of the column, which has 1; NaN where nobody of one is approved."""
    low: float
    """Of the ratio's 95 % interval."""
    high: float
    roc_auc: float
    auc_ratio: float
    """ROC AUC over that of the largest group of the column; NaN where that is 0."""
    calibration_error: float


def measure_groups(held_out: Dataset, probability: Floats, threshold: float) -> list[Group]:
    """By column, the largest group first; groups with fewer than ten of an outcome are left out.

    probability: of default, one a row. The interval is that of a ratio of two shares, on the logarithmic scale (Katz).
    """
    return [
        group
        for column, texts in held_out.groups.items()
        for group in _groups_of(column, texts, held_out, probability, threshold)
    ]


def _groups_of(column: str, texts: Texts, held_out: Dataset, probability: Floats, threshold: float) -> Iterable[Group]:
    measured = np.isin(texts, _large_enough(texts, held_out))
    if not measured.any():
        return
    frame = MetricFrame(
        metrics={
            "rows": count,
            "approved": lambda _, scores: selection_rate(scores < threshold, scores < threshold),
            "roc_auc": measures.roc_auc,
            "calibration_error": measures.calibration_error,
        },
        y_true=held_out.outcome[measured],
        y_pred=probability[measured],
        sensitive_features={column: texts[measured]},
    )
    found = frame.by_group.sort_values("rows", ascending=False, kind="stable")
    rows, approved, roc_auc, errors = (found[name].astype(float).tolist() for name in found.columns)
    for at, name in enumerate(found.index):
        ratio, low, high = ratio_of(approved, rows, at)
        yield Group(
            column=column,
            name=str(name),
            rows=int(rows[at]),
            approval_rate=approved[at],
            approval_ratio=ratio,
            low=low,
            high=high,
            roc_auc=roc_auc[at],
            auc_ratio=roc_auc[at] / roc_auc[0] if roc_auc[0] else float("nan"),
            calibration_error=errors[at],
        )


def _large_enough(texts: Texts, held_out: Dataset) -> list[str]:
    outcomes = {name: held_out.outcome[texts == name] for name in np.unique(texts).tolist()}
    return [name for name, it in outcomes.items() if min(it.sum(), (1 - it).sum()) >= FEWEST_OF_EACH_OUTCOME]


def ratio_of(approved: Sequence[float], rows: Sequence[float], at: int) -> tuple[float, float, float]:
    """Of the shares of the group at that place and of the first, with its interval; NaN where nobody is approved."""
    if not approved[at] or not approved[0]:
        return float("nan"), float("nan"), float("nan")
    if at == 0:
        return 1.0, 1.0, 1.0
    ratio = approved[at] / approved[0]
    error = sqrt(sum((1 - approved[it]) / (approved[it] * rows[it]) for it in (at, 0)))
    return ratio, exp(log(ratio) - SURE * error), exp(log(ratio) + SURE * error)
