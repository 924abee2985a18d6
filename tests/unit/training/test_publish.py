"""What the registry is given."""

import re
from dataclasses import replace
from math import isfinite

import numpy as np

from app.settings import Settings
from app.training.gate import Champion
from app.training.pipeline import Outcome
from app.training.publish import metric_values, to_candidate


def test_the_candidate_has_named_double_columns_and_an_example_of_them(outcome: Outcome, settings: Settings) -> None:
    candidate = to_candidate(outcome, settings)
    assert candidate.contract is outcome.dataset.contract
    assert candidate.example.columns.tolist() == list(candidate.contract.factor_names)
    assert len(candidate.example) == 5
    assert set(candidate.example.dtypes) == {np.dtype(np.float64)}


def test_the_candidate_carries_its_data_its_population_and_its_papers(outcome: Outcome, settings: Settings) -> None:
    candidate = to_candidate(outcome, settings)
    assert (candidate.data_name, candidate.data_digest) == ("synthetic sample", outcome.dataset.digest)
    assert candidate.reference is outcome.reference
    assert candidate.pictures is outcome.pictures
    assert candidate.card.startswith("# credit-default-model")
    assert candidate.parameters["seed"] == settings.train.seed


def test_metrics_are_finite_numbers_under_names_that_mlflow_takes(outcome: Outcome) -> None:
    values = metric_values(outcome)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and isfinite(value) for name, value in values.items())
    assert values["roc_auc"] == outcome.figures.overall.roc_auc
    assert {"roc_auc_low", "cv_brier", "origin_roc_auc", "elderly_recall", "younger_recall"} <= set(values)


def test_metrics_without_a_value_are_left_out(outcome: Outcome) -> None:
    values = metric_values(replace(outcome, figures=replace(outcome.figures, elderly=None)))
    assert not any(name.startswith("elderly_") for name in values)


def test_the_champions_metrics_are_there_when_it_was_measured(outcome: Outcome) -> None:
    assert "champion_roc_auc" not in metric_values(outcome)
    values = metric_values(replace(outcome, champion=Champion("version 3", outcome.origin)))
    assert values["champion_roc_auc"] == outcome.origin.roc_auc
