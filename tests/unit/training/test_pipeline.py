"""A whole training without a registry."""

from app.settings import Settings
from app.training.data import Dataset
from app.training.pipeline import STAGES, Outcome, train
from tests.support.fakes import constant_model


def test_the_sample_gives_a_candidate_that_passes(outcome: Outcome) -> None:
    assert outcome.verdict.passed, outcome.verdict.reasons
    assert outcome.figures.overall.roc_auc > 0.83
    assert outcome.figures.monotonicity_violations == 0


def test_a_model_trained_on_shuffled_labels_is_refused(shuffled_outcome: Outcome) -> None:
    assert not shuffled_outcome.verdict.passed
    assert shuffled_outcome.figures.overall.roc_auc < 0.6
    assert shuffled_outcome.verdict.reasons[0].endswith("is below the floor 0.8")


def test_the_candidate_never_sees_a_held_out_row(outcome: Outcome) -> None:
    training = {row.tobytes() for row in outcome.training.features}
    assert not training & {row.tobytes() for row in outcome.held_out.features}


def test_the_stages_are_those_announced_in_their_order(dataset: Dataset, settings: Settings) -> None:
    begun: list[str] = []
    production = constant_model(0.03, version="7")
    quick = settings.model_copy(update={"train": settings.train.model_copy(update={"folds": 2})})
    outcome = train(dataset, quick, production, begun.append)
    assert tuple(begun) == STAGES
    assert outcome.champion is not None
    assert outcome.champion.label == "version 7"
    assert outcome.verdict.passed
    assert outcome.verdict.reasons[-2].startswith("not worse than version 7")
