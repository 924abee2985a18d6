"""One model and one policy give one decision, with the words for why."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.errors import PolicyInvalid
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.scoring.forms.compiled import scorer_of
from app.scoring.model import ScoringModel
from app.scoring.wording import RefusalReason
from app.settings import Settings
from harness.fields import CONTRACT
from tests.support.fakes import constant_model
from tests.support.plain import plain_policy
from tests.unit.scoring.test_reasons import model_of

POLICY = plain_policy()
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
        ("UTILISATION_ABOVE", "RevolvingUtilizationOfUnsecuredLines"),
        ("INCOME_MISSING", "MonthlyIncome"),
    ]
    assert decision.reasons[1].text == "The MonthlyIncome is missing."


def test_a_rule_that_refuses_alone_is_the_only_reason() -> None:
    decision = Decider(summed(), POLICY).decide(vector(x2=17.0))
    assert (decision.verdict, [it.code for it in decision.reasons]) == ("REJECT", ["LEGAL_AGE"])


def test_a_rule_comes_before_what_the_model_scored() -> None:
    decision = Decider(summed(), POLICY).decide(vector(x1=4.0, x2=17.0))
    assert [it.code for it in decision.reasons] == ["LEGAL_AGE", "UTILISATION_ABOVE"]


def test_a_rule_and_the_score_give_four_reasons_at_most() -> None:
    model = model_of(lambda x: math.fsum(x) - 30)
    decision = Decider(model, POLICY).decide(vector(x1=99.0, x2=17.0, x3=98.0, x4=97.0, x7=96.0))
    assert [it.code for it in decision.reasons] == ["LEGAL_AGE", "UTILISATION_ABOVE", "LATE_30_ABOVE", "DEBT_ABOVE"]


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
    assert strict.reference == [0.0, *[1.0] * 9]
    assert [it.code for it in strict.decide(vector()).reasons] == ["UTILISATION_ABOVE"]


@pytest.mark.parametrize(("age", "verdict"), [(17.9, "REJECT"), (18.0, "ACCEPT")])
def test_whoever_a_rule_holds_for_is_refused_whatever_the_model_says(age: float, verdict: str) -> None:
    decider = Decider(constant_model(0.01), POLICY)
    assert decider.decide(vector(x2=age)).verdict == verdict
    assert decider.verdict(vector(x2=age), 0.0) == verdict
    assert decider.verdict(vector(x2=age), POLICY.threshold) == "REJECT"
    assert Decider(constant_model(0.01), replace(POLICY, rules=())).decide(vector(x2=age)).verdict == "ACCEPT"


def test_a_rule_about_what_the_contract_has_not_is_refused() -> None:
    rule = replace(POLICY.rules[0], when="years < 18")
    with pytest.raises(PolicyInvalid, match="does not fit the model's contract: 'years' is no field"):
        Decider(constant_model(0.01), replace(POLICY, rules=(rule,)))


def test_a_factor_that_the_policy_has_no_words_for_is_told_as_unexplained() -> None:
    words = {name: said for name, said in POLICY.reasons.items() if name != "MonthlyIncome"}
    decision = Decider(summed(), replace(POLICY, reasons=words)).decide(vector(x1=3.0, x5=math.nan))
    assert [it.code for it in decision.reasons] == ["UTILISATION_ABOVE", POLICY.unexplained.code]


def trusting(vector_: list[float]) -> list[str]:
    """Codes that the shipped policy gives for a model of the shipped contract, in which every factor counts alike."""
    model = constant_model(0.3)
    weights = [factor.direction or 1 for factor in CONTRACT.factors]

    def log_odds(inputs: Sequence[float]) -> float:
        # So high that whoever asks is refused.
        return 1000.0 + sum(weight * min(value, 100.0) for weight, value in zip(weights, inputs, strict=True))

    decider = Decider(replace(model, scorer=scorer_of(log_odds), scorer_log_odds=log_odds), load_policy(Settings()))
    return [it.code for it in decider.decide(vector_).reasons]


def test_the_shipped_policy_speaks_of_income_where_there_is_none_and_never_of_debts() -> None:
    unstated = trusting(CONTRACT.vector([1, 40, 0, 90, None, 1, 0, 1, 0, 1]))
    assert "INCOME_NOT_STATED" in unstated
    assert unstated.count("INCOME_NOT_STATED") == 1
    assert "OBLIGATIONS_HIGH" not in unstated
    none = trusting(CONTRACT.vector([1, 40, 0, 90, 0, 1, 0, 1, 0, 1]))
    assert "INCOME_LOW" in none
    assert "OBLIGATIONS_HIGH" not in none
    assert "OBLIGATIONS_HIGH" in trusting(CONTRACT.vector([1, 40, 0, 90, 5000, 1, 0, 1, 0, 1]))


def test_a_code_among_the_late_payments_is_told_as_what_it_is() -> None:
    assert trusting(CONTRACT.vector([1, 40, 98, 1, 5000, 1, 98, 1, 98, 1])) == ["LATE_RECORD_UNCLEAR"]
    assert trusting(CONTRACT.vector([1, 40, 5, 1, 5000, 1, 0, 1, 0, 1])) == ["LATE_30_DAYS", "LATE_PAYMENTS"]
