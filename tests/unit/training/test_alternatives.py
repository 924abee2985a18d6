"""Alternatives: what is drawn, how each is compared by groups, and which of them nobody beats."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_ratio

from app.errors import DataInvalid, SettingInvalid
from app.settings import Settings
from app.training.alternatives import DRAWN, MOST_WITHOUT, Alternative, drawn, frontier, require_groups, search
from app.training.data import Dataset
from app.training.fit import DEFAULT, Recipe, fit_candidate, hyperparameters, predict_of, probabilities
from app.training.pipeline import SEARCH, STAGES, Outcome, train
from app.training.publish import to_candidate
from app.training.report import model_card, terminal_report
from harness.fields import CONTRACT


def grouped(rows: Dataset) -> Dataset:
    """With a column in which the young are more often `a`."""
    age = rows.column("age")
    return replace(rows, groups={"kind": np.where(age < np.median(age), "a", "b")})


@pytest.fixture(scope="module")
def found(outcome: Outcome) -> list[Alternative]:
    """The candidate and four others."""
    rows = grouped(outcome.held_out)
    scores = predict_of(outcome.estimator, CONTRACT)(rows.features)
    return search(outcome.training, rows, scores, DEFAULT, 4, outcome.threshold, 20)


def alternative(number: int, roc_auc: float, ratio: float) -> Alternative:
    return Alternative(number, Recipe(), roc_auc, 0.05, 0.7, ratio, ratio - 0.1, ratio + 0.1, "kind: a to b")


def test_a_number_is_always_the_same_recipe_and_leaves_factors_over() -> None:
    recipes = [drawn(number, CONTRACT, 20) for number in range(1, 60)]
    assert recipes == [drawn(number, CONTRACT, 20) for number in range(1, 60)]
    assert drawn(1, CONTRACT, 21) != recipes[0]
    assert {len(it.without) for it in recipes} == set(range(MOST_WITHOUT + 1))
    assert {(name, it.changed[name]) for it in recipes for name in DRAWN} == {
        pair for name, values in DRAWN.items() for pair in product([name], values)
    }
    assert all(set(it.without) <= set(CONTRACT.factor_names) for it in recipes)


def test_a_factor_that_is_left_out_changes_no_probability(outcome: Outcome) -> None:
    name = CONTRACT.factor_names[0]
    model = fit_candidate(outcome.training, 20, Recipe({"max_iter": 20}, (name,)))
    factors = outcome.held_out.factors
    before = probabilities(model, factors)
    factors[:, 0] = np.random.default_rng(1).permutation(factors[:, 0])
    assert (probabilities(model, factors) == before).all()
    factors[:, 1] = np.random.default_rng(1).permutation(factors[:, 1])
    assert (probabilities(model, factors) != before).any()


def test_each_is_measured_on_the_held_out_rows(found: list[Alternative], outcome: Outcome) -> None:
    assert [it.number for it in found] == [0, 1, 2, 3, 4]
    assert found[0].roc_auc == pytest.approx(outcome.figures.overall.roc_auc)
    assert found[0].approval_rate == pytest.approx(outcome.figures.overall.approval_rate)
    rows = grouped(outcome.held_out)
    for it in found:
        model = fit_candidate(outcome.training, 20, it.recipe)
        approved = probabilities(model, rows.factors) < outcome.threshold
        parity = demographic_parity_ratio(approved, approved, sensitive_features=rows.groups["kind"])
        assert it.ratio == pytest.approx(parity)
        assert it.low < it.ratio < it.high
        assert it.between == "kind: a to b"
    assert len({it.roc_auc for it in found}) == 5


def test_the_frontier_is_what_no_other_one_beats_in_both() -> None:
    middle, dull, fair, sharp = alternative(1, 0.85, 0.9), alternative(2, 0.84, 0.9), alternative(3, 0.8, 0.99), None
    sharp = alternative(0, 0.87, 0.8)
    unmeasured = alternative(4, 0.9, float("nan"))
    assert frontier([sharp, middle, dull, fair, unmeasured]) == [fair, middle, sharp]


def test_without_groups_to_compare_there_is_no_search(outcome: Outcome) -> None:
    with pytest.raises(SettingInvalid, match=r"train\.groups is empty: name the columns"):
        require_groups(())
    alone = replace(outcome.held_out, groups={"kind": np.full(len(outcome.held_out), "a")})
    with pytest.raises(DataInvalid, match="no column of train.groups has two groups with ten defaulters"):
        search(outcome.training, alone, np.full(len(alone), 0.01), DEFAULT, 1, 0.05, 20)


def test_a_training_with_alternatives_tells_of_them(dataset: Dataset, settings: Settings) -> None:
    begun: list[str] = []
    quick = settings.model_copy(update={"train": settings.train.model_copy(update={"folds": 2})})
    recipe = drawn(3, CONTRACT, 20)
    made = train(grouped(dataset), quick, None, begun.append, recipe, 2)
    assert begun == [*STAGES[:-1], SEARCH, STAGES[-1]]
    assert [it.number for it in made.alternatives] == [0, 1, 2]
    assert made.alternatives[0].recipe == recipe
    assert made.pictures["alternatives.png"].startswith(b"\x89PNG")
    printed, card = terminal_report(made, quick), model_card(made, quick)
    assert "this model" in printed
    assert "## Less discriminatory alternatives" in card
    assert f"It uses all of them but {', '.join(recipe.without)}." in card
    candidate = to_candidate(made, quick)
    assert candidate.parameters["without"] == ", ".join(recipe.without)
    effective = hyperparameters(len(made.training), recipe)
    assert {name: candidate.parameters[name] for name in effective} == effective


def test_a_training_without_alternatives_tells_of_none(outcome: Outcome, settings: Settings) -> None:
    assert outcome.alternatives == []
    assert "alternatives.png" not in outcome.pictures
    assert "alternative" not in terminal_report(outcome, settings) + model_card(outcome, settings)
