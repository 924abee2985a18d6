"""What each factor does to a probability is told with its value and the reference applicant's."""

import math
from dataclasses import replace

import pytest

from app.contract.factors import identity
from app.scoring.decider import Decider
from app.scoring.explaining import FactorEffect, factor_effects
from app.scoring.forms.compiled import scorer_of
from app.scoring.model import ScoringModel
from harness.fields import CONTRACT, POSITIONS
from harness.population import reference
from tests.support.fakes import constant_document
from tests.support.plain import plain_policy
from tests.unit.scoring.test_reasons import model_of

POLICY = plain_policy()
APPLICANT = [0.0, 7.0, 40.0, 0.0, 5.0, 3000.0, 2.0, 0.0, 1.0, 0.0, 1.0]


def test_each_factor_is_told_with_its_value_the_references_and_the_difference() -> None:
    model = model_of(lambda x: -9.0 + 2 * x[1] - 0.5 * x[4])
    effects = factor_effects(Decider(model, POLICY), APPLICANT)
    assert effects is not None
    assert [it.factor for it in effects] == [POSITIONS[at] for at in range(1, 11)]
    by_name = {it.factor: it for it in effects}
    first, fourth = by_name[POSITIONS[1]], by_name[POSITIONS[4]]
    assert (first.value, first.reference) == (APPLICANT[1], 1.0)
    assert first.effect == pytest.approx(2 * (APPLICANT[1] - 1.0))
    assert fourth.effect == pytest.approx(-0.5 * (APPLICANT[4] - 1.0))
    assert {it.effect for name, it in by_name.items() if name not in (POSITIONS[1], POSITIONS[4])} == {0.0}


def test_a_missing_value_and_what_is_beyond_all_numbers_are_none() -> None:
    model = model_of(lambda x: x[1] * 1e308)
    vector = [0.0, 10.0, *APPLICANT[2:]]
    vector[5] = math.nan
    effects = factor_effects(Decider(model, POLICY), vector)
    assert effects is not None
    assert effects[0] == FactorEffect(POSITIONS[1], "", 10.0, 1.0, None)
    assert effects[4].value is None


def test_the_row_number_is_no_factor_to_be_told() -> None:
    contract = CONTRACT.with_factors([identity(POSITIONS[0]), identity(POSITIONS[1])])
    document = replace(constant_document(0.5), contract=contract, reference=reference(contract.factor_names))

    def log_odds(inputs: object) -> float:
        return -1.0

    effects = factor_effects(Decider(ScoringModel(document, scorer_of(log_odds), log_odds), POLICY), APPLICANT)
    assert effects is not None
    assert [it.factor for it in effects] == [POSITIONS[1]]


def test_a_model_without_a_reference_applicant_explains_nothing() -> None:
    model = model_of(lambda x: x[1])
    bare = ScoringModel(replace(model.document, reference=None), model.scorer, model.scorer_log_odds)
    assert factor_effects(Decider(bare, POLICY), APPLICANT) is None
