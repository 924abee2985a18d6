"""The gate for a version that is registered already: the model itself, on the rows that no training saw."""

from dataclasses import asdict, dataclass, field
from typing import Any

from app import registry
from app.errors import ModelRefused, NotCompilable
from app.models.load import UNCOMPILED, load_entry
from app.policy_file import load_policy
from app.registry.aliases import named_by
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training import evaluate
from app.training.champion import SHARE_FIGURE, measure_champion, production, scores_of
from app.training.data import Dataset, Floats, load
from app.training.evaluate import Figures, flat
from app.training.gate import Champion, GateVerdict, judge
from app.training.groups import measure_groups
from app.training.split import split

NEEDS_MODELS = (
    "it has no compiled form: what serves it needs the extra models, which the image credit-default-api lacks and"
    " credit-default-api-models has"
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """How an attempt to let an alias name a version ended."""

    name: str
    version: str
    alias: str
    passed: bool
    reasons: list[str]
    figures: dict[str, float]
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        place = f"now {self.alias}" if self.passed else f"refused, {self.alias} stays where it is"
        lines = [*self.reasons, *self.warnings]
        return "\n".join([f"{self.name} version {self.version}: {place}", *(f"  - {it}" for it in lines)])


def promote(version: str, alias: str, settings: Settings) -> Promotion:
    """Judge a version, write the verdict on it, and move the alias when it passed.

    A version that cannot be scored here is told as refused, but no verdict is written: another machine may have the
    library, or trust the types, that this one lacks. Raises ModelUnavailable, DataInvalid.
    """
    name = settings.mlflow.model_name
    try:
        candidate = registered_model(version, settings)
    except (ModelRefused, NotCompilable) as error:
        return Promotion(name, version, alias, False, [str(error)], {})
    verdict, measured = judge_model(candidate, production(settings, version), load(settings), settings)
    registered = registry.Registered(name, version, "", candidate.identity.digest)
    registry.promote(registered, verdict.passed, verdict.reasons, settings, alias)
    figures = flat("", measured.overall)
    return Promotion(name, version, alias, verdict.passed, verdict.reasons, figures, warnings_of(candidate))


def warnings_of(model: ScoringModel) -> list[str]:
    """What is to be known before pods are let serve it."""
    return [NEEDS_MODELS] if model.document.spec["kind"] == UNCOMPILED else []


def judge_model(
    candidate: ScoringModel, champion: ScoringModel | Champion | None, dataset: Dataset, settings: Settings
) -> tuple[GateVerdict, Figures]:
    """The gate of training, asked about a model instead of a candidate just fitted."""
    train, threshold = settings.train, load_policy(settings).threshold
    # With a smaller share than the configured one it was trained on some of the rows held out today.
    share = min(train.held_out_share, candidate.document.figures.get(SHARE_FIGURE, train.held_out_share))
    training, held_out = split(dataset, share)

    def predict(rows: Floats) -> Floats:
        return scores_of(candidate, rows)

    violations = evaluate.count_monotonicity_violations(predict, training, train.seed)
    figures = evaluate.evaluate(held_out, predict, threshold, train.bootstrap_rounds, train.seed, violations)
    scores = predict(held_out.features)
    against = measure_champion(champion, held_out, threshold, scores)
    groups = measure_groups(held_out, scores, threshold)
    return judge(figures, against, train.gate, dataset.contract.age is not None, groups), figures


def registered_model(which: str, settings: Settings) -> ScoringModel:
    """A version by its number, or what an alias names. Raises ModelUnavailable, ModelRefused."""
    version = which if which.isdigit() else named_by(which, settings)
    entry = registry.pull(f"models:/{settings.mlflow.model_name}/{version}", settings)
    return load_entry(entry, settings.serving)
