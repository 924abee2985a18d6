"""What a candidate has to beat is measured as the candidate is."""

import numpy as np
import pytest

from app.errors import ModelRefused
from app.scoring.forms.extract import extract
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training import evaluate, fit
from app.training.champion import measure_champion
from app.training.data import Dataset
from app.training.gate import Champion
from app.training.pipeline import Outcome
from app.training.split import held_out
from tests.support.fakes import constant_document


def test_the_champion_is_scored_as_the_api_would_score_it(outcome: Outcome, settings: Settings) -> None:
    document = constant_document(0.5)
    document.spec.clear()
    document.spec.update(extract(outcome.estimator))
    own = fit.probabilities(outcome.estimator, outcome.held_out.factors)
    champion = measure_champion(ScoringModel.compiled(document), outcome.held_out, outcome.threshold, own)
    assert champion == Champion("version 1", outcome.figures.overall)


def test_rows_that_the_champion_was_trained_on_are_left_out_of_the_comparison(outcome: Outcome) -> None:
    document = constant_document(0.03)
    document.figures["held_out_share"] = 0.1
    rows, own = outcome.held_out, fit.probabilities(outcome.estimator, outcome.held_out.factors)
    champion = measure_champion(ScoringModel.compiled(document), rows, outcome.threshold, own)
    unseen = held_out(rows.features, 0.1)
    assert 0 < unseen.sum() < len(rows)
    assert champion is not None
    assert champion.candidate == evaluate.measure(rows.outcome[unseen], own[unseen], outcome.threshold)
    assert champion.measures is not None
    assert champion.measures != evaluate.measure(rows.outcome, np.full(len(rows), 0.03), outcome.threshold)


def test_without_a_champion_there_is_none_and_a_broken_one_stays_broken(dataset: Dataset) -> None:
    broken = Champion("the model", None, "it is pickled")
    assert measure_champion(None, dataset, 0.05, dataset.outcome / 2) is None
    assert measure_champion(broken, dataset, 0.05, dataset.outcome / 2) is broken


def test_a_champion_that_refuses_to_score_is_a_problem_and_not_an_absence(dataset: Dataset) -> None:
    def refuse(inputs: object) -> float:
        raise ModelRefused("it takes 7 inputs")

    few = dataset.take(np.arange(len(dataset)) < 10)
    champion = measure_champion(ScoringModel(constant_document(0.5), refuse), few, 0.05, few.outcome / 2)
    assert champion == Champion("version 1", None, "it takes 7 inputs")


def test_a_champion_that_gives_no_probabilities_fails_loudly(dataset: Dataset) -> None:
    def crash(inputs: object) -> float:
        raise ArithmeticError("no logarithm of 0")

    few = dataset.take(np.arange(len(dataset)) < 10)
    with pytest.raises(ArithmeticError, match="no logarithm"):
        measure_champion(ScoringModel(constant_document(0.5), crash), few, 0.05, few.outcome / 2)
