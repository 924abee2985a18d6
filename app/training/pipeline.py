"""From clean rows to a judged candidate, with everything that will be registered beside it; no registry needed."""

from collections.abc import Callable
from dataclasses import dataclass

from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from app.policy_file import load_policy
from app.scoring.model import Reference, ScoringModel
from app.settings import Settings
from app.training import evaluate, fit
from app.training.alternatives import Alternative, search
from app.training.alternatives_picture import draw_alternatives
from app.training.champion import measure_champion
from app.training.data import Dataset
from app.training.evaluate import Figures, Measures
from app.training.fit import Recipe
from app.training.gate import Champion, GateVerdict, judge
from app.training.groups import Group, measure_groups
from app.training.pictures import draw
from app.training.reference import build_reference
from app.training.split import split

STAGES = (
    "fit the candidate",
    "cross-validate",
    "fit the reference line",
    "evaluate",
    "compare with production",
    "describe the population",
    "draw the pictures",
)
SEARCH = "search for alternatives"
"""A stage before the last one, where alternatives are asked for."""

Stage = Callable[[str], None]
"""Called with the name of each of STAGES, or SEARCH, as it begins."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One training, ready to be registered."""

    estimator: HistGradientBoostingClassifier
    dataset: Dataset
    digest: str
    threshold: float
    """The policy's, which figures and the reference applicant are for."""
    training: Dataset
    held_out: Dataset
    figures: Figures
    cross_validated: Measures
    origin: Measures
    """The reference architecture's model, on the same held-out rows."""
    champion: Champion | None
    verdict: GateVerdict
    reference: Reference
    pictures: dict[str, bytes]
    groups: list[Group]
    """Of the columns that are kept from the model, on the held-out rows."""
    recipe: Recipe
    alternatives: list[Alternative]
    """The candidate and those searched for; empty where none were asked for."""


def train(
    dataset: Dataset,
    settings: Settings,
    production: ScoringModel | Champion | None,
    stage: Stage,
    recipe: Recipe = fit.DEFAULT,
    alternatives: int = 0,
) -> Outcome:
    """Fit, evaluate and judge.

    production: the model to beat; a Champion that names its problem when it could not be loaded; None when
    there is none. alternatives: how many to search for. Raises DataInvalid when the rows cannot be split into parts
    that hold both outcomes or, for alternatives, have no groups to compare; PolicyInvalid.
    """
    # The rows are few: a second thread saves a second when the machine is idle, and where another process has the
    # core, waiting for it made the cross-validation ten times as long.
    with threadpool_limits(limits=1):
        train_settings, seed = settings.train, settings.train.seed
        policy = load_policy(settings)
        threshold = policy.threshold
        training, held_out = split(dataset, train_settings.held_out_share)

        stage("fit the candidate")
        estimator = fit.fit_candidate(training, seed, recipe)
        predict = fit.predict_of(estimator, dataset.contract)
        probability = predict(held_out.features)

        stage("cross-validate")
        cross_validated = evaluate.cross_validate(dataset, train_settings.folds, seed, threshold, recipe)

        stage("fit the reference line")
        origin_probability = fit.probabilities(fit.fit_origin(training), fit.origin_inputs(held_out))

        stage("evaluate")
        violations = evaluate.count_monotonicity_violations(predict, training, seed)
        figures = evaluate.evaluate(
            held_out, predict, threshold, train_settings.bootstrap_rounds, seed, monotonicity_violations=violations
        )

        stage("compare with production")
        champion = measure_champion(production, held_out, threshold, probability)

        stage("describe the population")
        reference = build_reference(training, predict, policy.accepts_below, seed, dataset.contract)

        groups = measure_groups(held_out, probability, threshold)
        by_age = dataset.contract.age is not None

        others: list[Alternative] = []
        if alternatives:
            stage(SEARCH)
            others = search(training, held_out, probability, recipe, alternatives, threshold, seed)

        stage("draw the pictures")
        pictures = draw(held_out, probability, origin_probability, estimator, threshold, seed)
        return Outcome(
            estimator=estimator,
            dataset=dataset,
            digest=dataset.digest,
            threshold=threshold,
            training=training,
            held_out=held_out,
            figures=figures,
            cross_validated=cross_validated,
            origin=evaluate.measure(held_out.outcome, origin_probability, threshold),
            champion=champion,
            verdict=judge(figures, champion, train_settings.gate, by_age, groups),
            reference=reference,
            groups=groups,
            pictures=pictures | ({"alternatives.png": draw_alternatives(others)} if others else {}),
            recipe=recipe,
            alternatives=others,
        )
