"""One model and one policy give one decision, with the words for why."""

import math
from dataclasses import replace

from app.policy_file import load_policy
from app.scoring.decider import Decider, RefusalReason
from app.scoring.model import ScoringModel
from app.settings import Settings
from tests.support.fakes import constant_model
from tests.unit.scoring.test_reasons import model_of

POLICY = load_policy(Settings())
LIKE_THE_REFERENCE = [0.0, *[1.0] * 10]


def vector(**values: float) -> list[float]:
    """An applicant of 40 like the reference applicant, whose every value is 1, but for these: x1=2 for position 1."""
    changed = {2: 40.0, **{int(name[1:]): value for name, value in values.items()}}
    return [changed.get(at, value) for at, value in enumerate(LIKE_THE_REFERENCE)]


def summed() -> ScoringModel:
    """Log-odds of -5 for the reference applicant, rising with utilisation and with income missing."""
    return model_of(lambda x: -5.0 + 2 * (x[1] - 1) + (3.0 if math.isnan(x[5]) else 0.0))


def test_an_accept_carries_no_reason() -> None:
    decision = Decider(summed(), POLICY).decide(vector())
    assert (decision.verdict, decision.reasons) == ("ACCEPT", [])


def test_a_reject_says_in_the_policys_words_what_counted_strongest_first() -> None:
    decision = Decider(summed(), POLICY).decide(vector(x1=3.0, x5=math.nan))
    assert decision.verdict == "REJECT"
    assert [(it.code, it.feature) for it in decision.reasons] == [
        ("UTILISATION_HIGH", "RevolvingUtilizationOfUnsecuredLines"),
        ("INCOME_NOT_STATED", "MonthlyIncome"),
    ]
    assert decision.reasons[1].text == "Monthly income was not stated."


def test_a_rule_that_refuses_alone_is_the_only_reason() -> None:
    decision = Decider(summed(), POLICY).decide(vector(x2=17.0))
    assert (decision.verdict, [it.code for it in decision.reasons]) == ("REJECT", ["LEGAL_AGE"])


def test_a_rule_comes_before_what_the_model_scored() -> None:
    decision = Decider(summed(), POLICY).decide(vector(x1=4.0, x2=17.0))
    assert [it.code for it in decision.reasons] == ["LEGAL_AGE", "UTILISATION_HIGH"]


def test_a_rule_and_the_score_give_four_reasons_at_most() -> None:
    model = model_of(lambda x: math.fsum(x) - 30)
    decision = Decider(model, POLICY).decide(vector(x1=99.0, x2=17.0, x3=98.0, x4=97.0, x7=96.0))
    assert [it.code for it in decision.reasons] == ["LEGAL_AGE", "UTILISATION_HIGH", "LATE_30_DAYS", "OBLIGATIONS_HIGH"]


def test_a_refusal_that_no_feature_explains_says_that_a_person_has_to() -> None:
    alike = constant_model(0.3)
    nobody_known = replace(alike, document=replace(alike.document, reference=None))
    for model in (alike, nobody_known):
        assert Decider(model, POLICY).decide(vector()).reasons == [
            RefusalReason(POLICY.unexplained.code, None, POLICY.unexplained.text)
        ]


def test_another_threshold_changes_the_reference_with_the_decision() -> None:
    rows: list[list[float | None]] = [[0.0, *[1.0] * 9]]
    model = summed()
    known = model.document.reference
    assert known is not None
    model = replace(model, document=replace(model.document, reference=replace(known, golden_rows=rows)))
    strict = Decider(model, replace(POLICY, threshold=0.001))
    assert strict.reference == [0.0, 0.0, *[1.0] * 9]
    assert [it.code for it in strict.decide(vector()).reasons] == ["UTILISATION_HIGH"]
