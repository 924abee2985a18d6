"""What a policy decides, what it needs to say under a contract, and what names it."""

from dataclasses import replace
from typing import Any

import pytest

from app.policy_file import load_policy
from app.scoring.policy import Phrase, Policy, Principal, decide, words_for
from app.settings import Settings
from harness.fields import CONTRACT, PLAIN


def policy(**changes: Any) -> Policy:
    return replace(load_policy(Settings()), **changes)


@pytest.mark.parametrize(
    ("probability", "decision"), [(0.0, "ACCEPT"), (0.0499999, "ACCEPT"), (0.05, "REJECT"), (1.0, "REJECT")]
)
def test_rejects_from_the_threshold_on(probability: float, decision: str) -> None:
    assert decide(probability, 0.05) == decision


@pytest.mark.parametrize(
    ("probability", "decision"),
    [(0.0299999, "ACCEPT"), (0.03, "REVIEW"), (0.0499999, "REVIEW"), (0.05, "REJECT")],
)
def test_a_band_below_the_threshold_goes_to_a_person(probability: float, decision: str) -> None:
    assert policy(review=0.03).verdict(probability) == decision


@pytest.mark.parametrize("review", [0.05, 0.2])
def test_a_band_that_holds_nothing_is_refused_with_the_remedy(review: float) -> None:
    with pytest.raises(ValueError, match=f"review is {review:g}, which is not below the threshold of 0.05: lower it"):
        policy(review=review)


def test_a_policy_without_a_band_keeps_the_version_that_it_had_before_there_were_bands() -> None:
    assert "review" not in policy().to_json()
    assert policy(review=0.03).to_json()["review"] == 0.03
    assert policy(review=0.03).version != policy().version


def test_the_words_that_a_factor_needs_follow_from_its_direction_and_its_cases() -> None:
    def needed(name: str) -> list[str]:
        return words_for(CONTRACT, CONTRACT.factor_names.index(name))[0]

    assert needed("utilisation") == ["above"]
    assert needed("age") == ["below"]
    assert needed("credit_lines") == ["above", "below"]
    assert needed("debt_ratio") == ["above", "not_stated", "no_income"]
    assert words_for(PLAIN, PLAIN.factor_names.index("MonthlyIncome"))[0] == ["above", "below", "missing"]


def test_a_policy_without_words_for_a_contract_says_which_it_needs() -> None:
    assert [*policy().problems(CONTRACT)] == []
    problems = [*policy().problems(PLAIN)]
    assert "reasons.MonthlyIncome is missing; it needs above, below, missing" in problems
    assert "reasons.age.above is missing" in problems


def test_the_version_follows_the_content_and_nothing_else() -> None:
    assert policy().version == load_policy(Settings()).version
    others = [policy(threshold=0.06), policy(rules=()), policy(principal=Principal(0.1, 0.05))]
    words = {**policy().reasons, "age": {"below": Phrase("AGE_BELOW", "Another text about the age")}}
    assert len({policy().version, *(it.version for it in others), policy(reasons=words).version}) == 5


def test_the_content_makes_the_same_policy_again() -> None:
    assert Policy.from_json(policy().to_json()) == policy()
