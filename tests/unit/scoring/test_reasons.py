"""The reasons of a refusal are real, in the order of their effect, and always there."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, given, settings, strategies as st
from threadpoolctl import threadpool_limits

from app.contract.factors import identity
from app.scoring.forms.compiled import logistic
from app.scoring.forms.extract import extract
from app.scoring.model import ScoringModel
from app.scoring.policy import Principal
from app.scoring.reasons import ELDERLY_AGE, principal_effects, reference_inputs
from app.training.data import clean
from app.training.fit import fit_candidate, predict_of
from app.training.reference import build_reference
from harness.fields import AGE, CONTRACT, FEATURES, POSITIONS
from harness.population import reference
from harness.sample import synthetic_frame
from tests.support.fakes import constant_document, constant_model

THRESHOLD = 0.05
ALIKE = [0.0] * 11
APPLICANT = [0.0, *[1.0] * 10]


def model_of(log_odds: Callable[[Sequence[float]], float], positions: Sequence[int] = range(1, 11)) -> ScoringModel:
    """A model of those log-odds; the function gets the eleven wire values, 0 where the model takes none."""

    def widened(inputs: Sequence[float]) -> float:
        given = dict(zip(positions, inputs, strict=True))
        return log_odds([given.get(at, 0.0) for at in range(11)])

    contract = CONTRACT.with_factors([identity(POSITIONS[at]) for at in positions])
    document = replace(constant_document(0.5), contract=contract, reference=reference(contract.factor_names))
    return ScoringModel(document, lambda inputs: logistic(widened(inputs)), widened)


def principal_positions(model: ScoringModel, against: Sequence[float], vector: Sequence[float]) -> list[int]:
    """Wire positions of the fields that are reasons, whatever their share; against: a wire vector."""
    effects = effects_of(model, model.factors.of(against), vector, Principal(0.0, 0.0))
    return [POSITIONS.index(model.contract.factor_names[at]) for _, at in effects]


def effects_of(
    model: ScoringModel, against: Sequence[float], vector: Sequence[float], principal: Principal
) -> list[tuple[float, int]]:
    """The reasons of a wire vector; against: factors."""
    inputs = model.factors.of(vector)
    return principal_effects(model, against, vector, inputs, model.log_odds(inputs), principal)


def replaced(vector: Sequence[float], other: Sequence[float], positions: Sequence[int]) -> list[float]:
    return [other[at] if at in positions else value for at, value in enumerate(vector)]


def test_the_largest_fall_comes_first_and_what_lowers_nothing_is_left_out() -> None:
    model = model_of(lambda x: 2 * x[5] + 3 * x[1] - x[4] + 0 * x[6])
    assert principal_positions(model, ALIKE, APPLICANT) == [1, 5]


def test_equal_effects_stand_in_wire_order() -> None:
    assert principal_positions(model_of(lambda x: x[9] + x[3]), ALIKE, APPLICANT) == [3, 9]


def test_the_rounding_of_a_sum_is_no_reason() -> None:
    assert principal_positions(model_of(lambda x: x[3] + 1e-12 * x[1]), ALIKE, APPLICANT) == [3]


def test_only_features_that_the_model_takes_and_never_the_row_number_are_reasons() -> None:
    model = model_of(lambda x: math.fsum(x), positions=[7, 0, 3])
    assert principal_positions(model, ALIKE, [1.0] * 11) == [7, 3]


def test_a_missing_value_is_a_reason_when_the_references_value_lowers_the_risk() -> None:
    model = model_of(lambda x: 1.0 if math.isnan(x[5]) else 0.0)
    assert principal_positions(model, ALIKE, CONTRACT.vector([1, 1, 1, 1, None, 1, 1, 1, 1, 1])) == [5]


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
    assert 1 <= len(found)
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
    assert reference_inputs(model, THRESHOLD) == [1.0] * len(CONTRACT.factors)


def test_without_a_population_there_is_no_reference_applicant() -> None:
    model = constant_model(0.3)
    assert reference_inputs(replace(model, document=replace(model.document, reference=None)), THRESHOLD) is None


def known_as(model: ScoringModel, **changes: object) -> ScoringModel:
    known = replace(reference(model.contract.factor_names), **changes)  # type: ignore[arg-type]
    return replace(model, document=replace(model.document, reference=known))


def test_a_value_that_no_reference_applicant_had_is_the_populations_middle() -> None:
    model = known_as(model_of(lambda x: -9.0), applicant={**dict.fromkeys(FEATURES, 7.0), "MonthlyIncome": None})
    found = reference_inputs(model, THRESHOLD)
    assert found is not None
    assert found[FEATURES.index("MonthlyIncome")] == 1.0


@pytest.mark.parametrize(("threshold", "utilisation"), [(0.5, 9.0), (0.05, 4.0), (0.001, 2.0)])
def test_below_its_own_risk_the_riskiest_golden_row_still_accepted_takes_its_place(
    threshold: float, utilisation: float
) -> None:
    """The log-odds are utilisation - 10: at 0.5 the trained one of 9 is accepted, at 0.05 up to 7, at 0.001 up to 3."""
    golden: list[list[float | None]] = [[float(value), *[1.0] * 9] for value in (8, 2, 4)]
    golden.append([6.0, 1.0, 1.0, 1.0, None, *[1.0] * 5])
    golden.append([5.0, ELDERLY_AGE, *[1.0] * 8])
    applicant = dict.fromkeys(FEATURES, 9.0)
    model = known_as(model_of(lambda x: x[1] - 10), applicant=applicant, golden_rows=golden)
    found = reference_inputs(model, threshold)
    assert found is not None
    assert found[0] == utilisation


def test_a_factor_that_is_better_than_the_references_is_no_reason_whatever_the_model_does() -> None:
    model = constant_model(0.3)
    rising = replace(model, scorer_log_odds=lambda inputs: -sum(inputs))
    inputs = [2.0 if factor.direction < 0 else 0.0 for factor in CONTRACT.factors]
    vector = CONTRACT.vector([0, 80, 0, 0, 9000, 1, 0, 1, 0, 0])
    against = [1.0] * len(inputs)
    places = [at for _, at in effects_of(rising, against, vector, Principal(0.0, 0.0))]
    assert not [at for at in places if CONTRACT.factors[at].direction]


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        (Principal(0.0, 0.0), [1, 3, 4, 6]),
        (Principal(0.05, 0.0), [1, 3, 4]),
        (Principal(0.0, 0.3), [1, 3]),
        (Principal(0.5, 0.0), [1]),
        (Principal(0.9, 9.0), [1]),
    ],
)
def test_only_what_has_its_share_of_the_strongest_effect_is_a_reason(principal: Principal, found: list[int]) -> None:
    model = model_of(lambda x: 2 * x[1] + 0.5 * x[3] + 0.2 * x[4] + 0.05 * x[6])
    effects = effects_of(model, model.factors.of(ALIKE), APPLICANT, principal)
    assert [at + 1 for _, at in effects] == found
    assert effects[0][0] == pytest.approx(2.0)


@pytest.mark.parametrize(("step", "found"), [(0.0, [5, 1]), (1.0, [1]), (9.0, [5, 1])])
def test_what_gets_worse_by_the_first_step_is_no_reason(step: float, found: list[int]) -> None:
    """An income of 9 is a higher risk than the reference's of 0, and one of 8 a higher one still."""
    risk = {9.0: 5.0, 8.0: 6.0, 0.0: 0.0}
    model = model_of(lambda x: risk[x[5]] + x[1])
    contract = model.contract.with_factors([replace(factor, step=step) for factor in model.contract.factors])
    model = replace(model, document=replace(model.document, contract=contract))
    assert principal_positions(model, ALIKE, replaced(APPLICANT, [9.0] * 11, [5])) == found


@pytest.fixture(scope="module")
def trained() -> tuple[ScoringModel, list[list[float]]]:
    """A candidate of the synthetic sample, and the sample's vectors."""
    dataset = clean(synthetic_frame(20), "sample", CONTRACT)
    with threadpool_limits(limits=1):
        estimator = fit_candidate(dataset, 20)
        population = build_reference(dataset, predict_of(estimator, CONTRACT), THRESHOLD, 20, CONTRACT)
    document = replace(constant_document(0.5), spec=extract(estimator), reference=population)
    return ScoringModel.compiled(document), dataset.wire.tolist()


@pytest.mark.parametrize("threshold", [0.02, THRESHOLD, 0.2])
def test_every_refusal_of_a_trained_model_is_explained(
    trained: tuple[ScoringModel, list[list[float]]], threshold: float
) -> None:
    model, rows = trained
    against = reference_inputs(model, threshold)
    assert against is not None
    assert model.scorer(against) < threshold
    refused = [row for row in rows[:3000] if model.score(row) >= threshold]
    assert len(refused) > 100
    age = CONTRACT.factor_names.index("age")
    for row in refused:
        inputs = list(model.factors.of(row))
        found = [at for _, at in effects_of(model, against, row, Principal())]
        assert found
        assert not (row[AGE] >= ELDERLY_AGE and age in found)
        after = [model.log_odds(replaced(inputs, against, [at])) for at in found]
        assert after == sorted(after)
        together = found if after[0] >= model.log_odds(inputs) else found[:1]
        assert model.scorer(replaced(inputs, against, together)) < model.score(row)


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
    against = reference_inputs(model, THRESHOLD)
    assert against is not None
    assert len(effects_of(model, against, vector, Principal())) >= 1
