"""Gives a version that was trained anywhere what our own have: a verdict, a reference population and a document."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app import registry
from app.errors import ModelRefused, NotCompilable
from app.models.document import with_golden_probabilities
from app.models.load import load_entry
from app.policy_file import load_policy
from app.promotion.judging import judge_model, warnings_of
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training.champion import production, scores_of
from app.training.commit import code_commit
from app.training.data import Dataset, Floats, load
from app.training.evaluate import flat
from app.training.reference import build_reference
from app.training.split import split


@dataclass(frozen=True, slots=True)
class Adopted:
    """How an adoption ended. Where the version cannot be scored at all there are no figures and no digest."""

    name: str
    version: str
    passed: bool
    reasons: list[str]
    figures: dict[str, float]
    digest: str
    """SHA-256, in hex, of the files that were judged."""
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        verdict = "passed the gate; an alias that names it is followed" if self.passed else "refused by the gate"
        lines = [*self.reasons, *self.warnings]
        return "\n".join([f"{self.name} version {self.version}: {verdict}", *(f"  - {it}" for it in lines)])


def adopt(version: str, settings: Settings) -> Adopted:
    """Judge a version's own files on the held-out rows of the data that the settings name, make its reference
    population and golden rows from the others, and write verdict and document to the registry. No alias moves.

    A version that cannot be scored here is told as refused, but no verdict is written: another machine may have the
    library, or trust the types, that this one lacks. Raises ModelUnavailable, DataInvalid.
    """
    name = settings.mlflow.model_name
    dataset = load(settings)
    try:
        entry = registry.pull_files(f"models:/{name}/{version}", settings)
        model = load_entry(entry, settings.serving)
        verdict, measured = judge_model(model, production(settings, version), dataset, settings)
        figures = flat("", measured.overall)
        adopted = with_population(model, dataset, figures, settings)
    except (ModelRefused, NotCompilable) as error:
        return Adopted(name, version, False, [str(error)], {}, "")
    tags = {"data_digest": dataset.digest, "git_commit": code_commit(settings), "adopted_version": version}
    registered = registry.adopt(adopted.document, figures, tags, settings)
    registry.write_verdict(registered, verdict.passed, verdict.reasons, settings)
    warnings = warnings_of(model)
    return Adopted(name, version, verdict.passed, verdict.reasons, figures, registered.digest, warnings)


def with_population(
    model: ScoringModel, dataset: Dataset, figures: dict[str, float], settings: Settings
) -> ScoringModel:
    """The model with a reference population of the rows that are not held out, golden rows and figures."""
    training, _ = split(dataset, settings.train.held_out_share)

    def predict(rows: Floats) -> Floats:
        return scores_of(model, rows)

    threshold, seed = load_policy(settings).threshold, settings.train.seed
    reference = build_reference(training, predict, threshold, seed, model.contract)
    document = replace(model.document, reference=reference, figures=model.document.figures | figures)
    return replace(model, document=with_golden_probabilities(replace(model, document=document)))
