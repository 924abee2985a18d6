"""The reasons of a refusal are real, in the order of their effect, and always there."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from threadpoolctl import threadpool_limits

from app.features import ELDERLY_AGE, FEATURES, POSITIONS
from app.scoring.forms.compiled import logistic
from app.scoring.forms.extract import extract
from app.scoring.model import ScoringModel, wire_vector
from app.scoring.reasons import AGE, MOST_REASONS, principal_positions, reference_vector
from app.training.data import clean
from app.training.fit import fit_candidate, probabilities
from app.training.reference import build_reference
from app.training.sample import synthetic_frame
from harness.population import reference
from tests.support.fakes import constant_document, constant_model

THRESHOLD = 0.05
ALIKE = [0.0] * 11
APPLICANT = [0.0, *[1.0] * 10]


def model_of(log_odds: Callable[[Sequence[float]], float], positions: Sequence[int] = range(1, 11)) -> ScoringModel:
    """A model of those log-odds; the function gets the eleven wire values, 0 where the model takes none."""

    def widened(inputs: Sequence[float]) -> float:
        given = dict(zip(positions, inputs, strict=True))
        return log_odds([given.get(at, 0.0) for at in range(11)])

    document = replace(constant_document(0.5), positions=list(positions))
    return ScoringModel(document, lambda inputs: logistic(widened(inputs)), widened)


def replaced(vector: Sequence[float], other: Sequence[float], positions: Sequence[int]) -> list[float]:
    return [other[at] if at in positions else value for at, value in enumerate(vector)]


def test_the_largest_fall_comes_first_and_what_lowers_nothing_is_left_out() -> None:
    model = model_of(lambda x: 2 * x[5] + 3 * x[1] - x[4] + 0 * x[6])
    assert principal_positions(model, ALIKE, APPLICANT) == [1, 5]


def test_equal_effects_stand_in_wire_order() -> None:
    assert principal_positions(model_of(lambda x: x[9] + x[3]), ALIKE, APPLICANT) == [3, 9]


def test_there_are_four_at_most() -> None:
    assert principal_positions(model_of(lambda x: math.fsum(x)), ALIKE, APPLICANT) == [1, 2, 3, 4]


def test_the_rounding_of_a_sum_is_no_reason() -> None:
    assert principal_positions(model_of(lambda x: x[3] + 1e-12 * x[1]), ALIKE, APPLICANT) == [3]


def test_only_features_that_the_model_takes_and_never_the_row_number_are_reasons() -> None:
    model = model_of(lambda x: math.fsum(x), positions=[7, 0, 3])
    assert principal_positions(model, ALIKE, [1.0] * 11) == [3, 7]


def test_a_missing_value_is_a_reason_when_the_references_value_lowers_the_risk() -> None:
    model = model_of(lambda x: 1.0 if math.isnan(x[5]) else 0.0)
    assert principal_positions(model, ALIKE, wire_vector([1, 1, 1, 1, None, 1, 1, 1, 1, 1])) == [5]


def test_a_model_without_log_odds_is_explained_through_its_probability() -> None:
    model = replace(model_of(lambda x: 2 * x[5] + 3 * x[1]), scorer_log_odds=None)
    assert principal_positions(model, ALIKE, APPLICANT) == [1, 5]


@pytest.mark.parametrize(("age", "found"), [(61.0, [2, 1]), (62.0, [1]), (90.0, [1])])
def test_age_counts_against_nobody_of_62_or_more_even_where_the_model_lets_it(age: float, found: list[int]) -> None:
    for effect in (-1.0, 1.0):
        model = model_of(lambda x, effect=effect: 2 * effect * (x[AGE] - 20) + x[1])  # type: ignore[misc]
        against = [0.0, 0.0, 75.0 if effect < 0 else 25.0, *ALIKE[3:]]
        assert principal_positions(model, against, replaced(APPLICANT, [age] * 11, [AGE])) == found


def test_features_that_lower_the_risk_only_together_are_the_reasons() -> None:
    """Either of 1 and 5 alone makes it worse; 9 changes nothing."""
    table = {(1, 1): 0.0, (0, 1): 2.0, (1, 0): 1.0, (0, 0): -3.0}
    model = model_of(lambda x: table[int(x[1]), int(x[5])] + 0 * x[9])
    assert principal_positions(model, ALIKE, APPLICANT) == [5, 1]


def test_an_applicant_like_the_reference_has_no_reason() -> None:
    assert principal_positions(model_of(lambda x: math.fsum(x)), ALIKE, ALIKE) == []


FOUR = (1, 4, 5, 9)
EFFECTS = st.lists(st.integers(-20, 20), min_size=16, max_size=16)


@settings(deadline=None, max_examples=500)
@given(table=EFFECTS)
def test_whoever_is_riskier_than_the_reference_has_reasons_that_are_real(table: list[int]) -> None:
    """Any function of four features: sixteen log-odds, one for each set of them that is replaced."""
    assume(table[15] < table[0])

    def log_odds(x: Sequence[float]) -> float:
        return float(table[sum(1 << bit for bit, at in enumerate(FOUR) if x[at] == 0.0)])

    model = model_of(log_odds)
    start = log_odds(APPLICANT)
    found = principal_positions(model, ALIKE, APPLICANT)
    assert 1 <= len(found) <= MOST_REASONS
    assert set(found) <= set(FOUR)
    alone = {at: start - log_odds(replaced(APPLICANT, ALIKE, [at])) for at in FOUR}
    if any(fall > 0 for fall in alone.values()):
        assert [alone[at] for at in found] == sorted((fall for fall in alone.values() if fall > 0), reverse=True)
    else:
        assert log_odds(replaced(APPLICANT, ALIKE, found)) < start
        for fewer in combinations(found, len(found) - 1):
            assert log_odds(replaced(APPLICANT, ALIKE, fewer)) >= start
        costs = [log_odds(replaced(APPLICANT, ALIKE, [other for other in found if other != at])) for at in found]
        assert costs == sorted(costs, reverse=True)


def test_the_reference_applicant_is_the_one_found_at_training() -> None:
    model = constant_model(0.01)
    assert reference_vector(model, THRESHOLD) == [0.0, *[1.0] * 10]


def test_without_a_population_there_is_no_reference_applicant() -> None:
    model = constant_model(0.3)
    assert reference_vector(replace(model, document=replace(model.document, reference=None)), THRESHOLD) is None


def known_as(model: ScoringModel, **changes: object) -> ScoringModel:
    return replace(model, document=replace(model.document, reference=replace(reference(), **changes)))  # type: ignore[arg-type]


def test_the_reference_applicant_is_never_older_than_62() -> None:
    model = known_as(constant_model(0.01), applicant=dict.fromkeys(FEATURES, 70.0))
    vector = reference_vector(model, THRESHOLD)
    assert vector is not None
    assert (vector[AGE], vector[AGE + 1]) == (ELDERLY_AGE, 70.0)


def test_a_value_that_no_reference_applicant_had_is_the_populations_middle() -> None:
    model = known_as(constant_model(0.01), applicant={**dict.fromkeys(FEATURES, 7.0), "MonthlyIncome": None})
    vector = reference_vector(model, THRESHOLD)
    assert vector is not None
    assert vector[POSITIONS.index("MonthlyIncome")] == 1.0


@pytest.mark.parametrize(("threshold", "utilisation"), [(0.5, 9.0), (0.05, 4.0), (0.001, 2.0)])
def test_below_its_own_risk_the_riskiest_golden_row_still_accepted_takes_its_place(
    threshold: float, utilisation: float
) -> None:
    """The log-odds are utilisation - 10: at 0.5 the trained one of 9 is accepted, at 0.05 up to 7, at 0.001 up to 3."""
    golden: list[list[float | None]] = [[float(value), *[1.0] * 9] for value in (8, 2, 4)]
    golden.append([6.0, 1.0, 1.0, 1.0, None, *[1.0] * 5])
    applicant = dict.fromkeys(FEATURES, 9.0)
    model = known_as(model_of(lambda x: x[1] - 10), applicant=applicant, golden_rows=golden)
    vector = reference_vector(model, threshold)
    assert vector is not None
    assert vector[1] == utilisation


@pytest.fixture(scope="module")
def trained() -> tuple[ScoringModel, list[list[float]]]:
    """A candidate of the synthetic sample, and the sample's vectors."""
    dataset = clean(synthetic_frame(20), "sample")
    with threadpool_limits(limits=1):
        estimator = fit_candidate(dataset, 20)
        population = build_reference(dataset.features, lambda rows: probabilities(estimator, rows), THRESHOLD, 20)
    document = replace(constant_document(0.5), spec=extract(estimator), reference=population)
    rows = np.column_stack([np.zeros(len(dataset)), dataset.features]).tolist()
    return ScoringModel.compiled(document), rows


@pytest.mark.parametrize("threshold", [0.02, THRESHOLD, 0.2])
def test_every_refusal_of_a_trained_model_is_explained(
    trained: tuple[ScoringModel, list[list[float]]], threshold: float
) -> None:
    model, rows = trained
    against = reference_vector(model, threshold)
    assert against is not None
    assert model.score(against) < threshold
    refused = [row for row in rows[:3000] if model.score(row) >= threshold]
    assert len(refused) > 100
    for row in refused:
        found = principal_positions(model, against, row)
        assert found
        assert not (row[AGE] >= ELDERLY_AGE and AGE in found)
        after = [model.log_odds(replaced(row, against, [at])) for at in found]
        assert after == sorted(after)
        assert model.score(
            replaced(row, against, found if after[0] >= model.log_odds(row) else found[:1])
        ) < model.score(row)


ANYTHING = st.one_of(st.sampled_from([0.0, 1.0, 96.0, 98.0, 62.0, 1e308, -1e308]), st.floats(-10, 1e6))


@settings(deadline=None, max_examples=200)
@given(values=st.lists(ANYTHING, min_size=10, max_size=10), missing=st.booleans())
def test_any_refused_row_is_explained(
    trained: tuple[ScoringModel, list[list[float]]], values: list[float], missing: bool
) -> None:
    model, _ = trained
    vector = [0.0, *values]
    if missing:
        vector[5] = vector[10] = math.nan
    assume(model.score(vector) >= THRESHOLD)
    against = reference_vector(model, THRESHOLD)
    assert against is not None
    assert 1 <= len(principal_positions(model, against, vector)) <= MOST_REASONS
