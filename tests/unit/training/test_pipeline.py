"""A whole training without a registry."""

import numpy as np
import pytest

from app.errors import ModelRefused
from app.scoring.extract import extract
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training.data import Dataset
from app.training.gate import Champion
from app.training.pipeline import STAGES, Outcome, measure_champion, train
from tests.fakes import constant_document, constant_model


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


def test_the_champion_is_scored_as_the_api_would_score_it(outcome: Outcome, settings: Settings) -> None:
    document = constant_document(0.5)
    document.spec.clear()
    document.spec.update(extract(outcome.estimator))
    champion = measure_champion(ScoringModel.compiled(document), outcome.held_out, outcome.threshold)
    assert champion == Champion("version 1", outcome.figures.overall)


def test_without_a_champion_there_is_none_and_a_broken_one_stays_broken(dataset: Dataset) -> None:
    broken = Champion("the model", None, "it is pickled")
    assert measure_champion(None, dataset, 0.05) is None
    assert measure_champion(broken, dataset, 0.05) is broken


def test_a_champion_that_refuses_to_score_is_a_problem_and_not_an_absence(dataset: Dataset) -> None:
    def refuse(inputs: object) -> float:
        raise ModelRefused("it takes 7 inputs")

    few = dataset.take(np.arange(len(dataset)) < 10)
    champion = measure_champion(ScoringModel(constant_document(0.5), refuse), few, 0.05)
    assert champion == Champion("version 1", None, "it takes 7 inputs")


def test_a_champion_that_gives_no_probabilities_fails_loudly(dataset: Dataset) -> None:
    def crash(inputs: object) -> float:
        raise ArithmeticError("no logarithm of 0")

    few = dataset.take(np.arange(len(dataset)) < 10)
    with pytest.raises(ArithmeticError, match="no logarithm"):
        measure_champion(ScoringModel(constant_document(0.5), crash), few, 0.05)
