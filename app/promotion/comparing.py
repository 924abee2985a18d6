"""Two registered models on the same rows: how good each is, and which applicants change sides between them."""

from dataclasses import asdict, dataclass
from typing import Any

from app.policy_file import load_policy
from app.promotion.judging import registered_model
from app.scoring.model import ScoringModel
from app.scoring.reasons import ELDERLY_AGE
from app.settings import Settings
from app.terminal import number, table
from app.training import evaluate
from app.training.champion import scores_of
from app.training.data import Dataset, load
from app.training.evaluate import Measures
from app.training.split import split

MEASURES = {
    "roc_auc": ("ROC AUC", ".4f"),
    "brier": ("Brier score", ".5f"),
    "calibration_error": ("calibration error", ".5f"),
    "approval_rate": ("approved", ".2%"),
    "recall": ("defaulters refused", ".2%"),
}


@dataclass(frozen=True, slots=True)
class Swap:
    """The applicants about whom the two decide so."""

    first: str
    second: str
    applicants: int
    default_rate: float | None
    elderly_share: float | None
    """Of 62 and over; None where nobody is meant, or no age is asked for."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same held-out rows."""

    first: str
    second: str
    data: str
    measures: dict[str, Measures]
    swaps: list[Swap]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        first, second = self.measures.values()
        figures = [["", self.first, self.second]]
        figures += [
            [label, number(getattr(first, name), spec), number(getattr(second, name), spec)]
            for name, (label, spec) in MEASURES.items()
        ]
        swaps = [[self.first, self.second, "applicants", "default rate", "62 and over"]]
        swaps += [
            [it.first, it.second, f"{it.applicants:,}", number(it.default_rate, ".2%"), number(it.elderly_share, ".2%")]
            for it in self.swaps
        ]
        head = f"{self.data}: {first.rows:,} held-out rows"
        return "\n".join([head, "", table(figures), "", table(swaps)])


def compare(first: str, second: str, settings: Settings) -> Comparison:
    """Two versions or aliases. Raises ModelUnavailable, ModelRefused, DataInvalid."""
    models = {
        f"version {it.identity.version}": it for it in (registered_model(name, settings) for name in (first, second))
    }
    if len(models) == 1:
        models = {f"{first}": next(iter(models.values())), f"{second} (the same)": next(iter(models.values()))}
    _, held_out = split(load(settings), settings.train.held_out_share)
    return compare_models(models, held_out, load_policy(settings).threshold)


def compare_models(models: dict[str, ScoringModel], rows: Dataset, threshold: float) -> Comparison:
    """models: two, by the names they are shown under."""
    scores = {name: scores_of(model, rows.features) for name, model in models.items()}
    first, second = models
    age = rows.contract.age
    elderly = None if age is None else rows.column(age) >= ELDERLY_AGE
    swaps = []
    for left in ("ACCEPT", "REJECT"):
        for right in ("ACCEPT", "REJECT"):
            chosen = ((scores[first] >= threshold) == (left == "REJECT")) & (
                (scores[second] >= threshold) == (right == "REJECT")
            )
            count = int(chosen.sum())
            default_rate = float(rows.outcome[chosen].mean()) if count else None
            elderly_share = None if elderly is None or not count else float(elderly[chosen].mean())
            swaps.append(Swap(left, right, count, default_rate, elderly_share))
    measures = {name: evaluate.measure(rows.outcome, found, threshold) for name, found in scores.items()}
    return Comparison(first, second, rows.name, measures, swaps)
