"""What is fitted, and what it may not learn."""

import numpy as np

from app.training import fit
from app.training.data import Dataset
from app.training.evaluate import count_monotonicity_violations
from app.training.measures import roc_auc
from app.training.pipeline import Outcome


def test_the_candidate_takes_the_factors_without_names(outcome: Outcome) -> None:
    assert outcome.estimator.n_features_in_ == len(outcome.dataset.contract.factors)
    assert not hasattr(outcome.estimator, "feature_names_in_")
    assert np.isnan(outcome.training.features).any()


def test_the_same_rows_and_seed_give_the_same_model(outcome: Outcome, settings: object) -> None:
    again = fit.fit_candidate(outcome.training, 20)
    features = outcome.held_out.factors
    assert (fit.probabilities(again, features) == fit.probabilities(outcome.estimator, features)).all()


def test_the_risk_never_moves_against_its_direction(outcome: Outcome) -> None:
    predict = fit.predict_of(outcome.estimator, outcome.dataset.contract)
    assert count_monotonicity_violations(predict, outcome.held_out, seed=3) == 0


def test_a_small_table_has_small_leaves() -> None:
    assert fit.hyperparameters(100_000) == fit.HYPERPARAMETERS
    assert [fit.hyperparameters(rows)["min_samples_leaf"] for rows in (100, 10_000)] == [10, 50]


def test_the_reference_line_is_fed_the_row_number_first(dataset: Dataset) -> None:
    inputs = fit.origin_inputs(dataset)
    assert inputs.shape == (len(dataset), 11)
    assert (inputs[:, 0] == dataset.row_numbers).all()


def test_the_candidate_ranks_better_than_the_reference_line(outcome: Outcome) -> None:
    line = fit.fit_origin(outcome.training)
    scores = fit.probabilities(line, fit.origin_inputs(outcome.held_out))
    assert outcome.figures.overall.roc_auc > roc_auc(outcome.held_out.outcome, scores) + 0.05
