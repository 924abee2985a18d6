"""What a policy decides, what it says, and what names it."""

import math
from dataclasses import replace
from typing import Any

import pytest

from app.policy_file import load_policy
from app.scoring.policy import Policy, decide
from app.settings import Settings

VECTOR = [0.0, 0.5, 40.0, *[0.0] * 8]


def policy(**changes: Any) -> Policy:
    return replace(load_policy(Settings()), **changes)


def aged(years: float) -> list[float]:
    return [*VECTOR[:2], years, *VECTOR[3:]]


@pytest.mark.parametrize(
    ("probability", "decision"), [(0.0, "ACCEPT"), (0.0499999, "ACCEPT"), (0.05, "REJECT"), (1.0, "REJECT")]
)
def test_rejects_from_the_threshold_on(probability: float, decision: str) -> None:
    assert decide(probability, 0.05) == decision
    assert policy(threshold=0.05).decide(VECTOR, probability) == decision


@pytest.mark.parametrize(("years", "decision"), [(17.9, "REJECT"), (18.0, "ACCEPT")])
def test_an_applicant_below_the_minimum_age_is_refused_whatever_the_model_says(years: float, decision: str) -> None:
    assert policy().decide(aged(years), 0.0) == decision


def test_a_rule_that_is_left_out_refuses_nobody() -> None:
    without = policy(overrides=replace(policy().overrides, minimum_age=None))
    assert without.decide(aged(3), 0.0) == "ACCEPT"


@pytest.mark.parametrize(
    ("value", "code"), [(6000.0, "INCOME_ABOVE"), (2000.0, "INCOME_LOW"), (math.nan, "INCOME_NOT_STATED")]
)
def test_says_on_which_side_of_the_reference_a_value_lies_or_that_it_is_missing(value: float, code: str) -> None:
    assert policy().reasons["MonthlyIncome"].of(value, 5400.0).code == code


def test_the_version_follows_the_content_and_nothing_else() -> None:
    assert policy().version == load_policy(Settings()).version
    assert (
        len({policy().version, policy(threshold=0.06).version, policy(overrides=type(policy().overrides)()).version})
        == 3
    )
    words = {**policy().reasons, "age": replace(policy().reasons["age"], below=policy().reasons["age"].above)}
    assert policy(reasons=words).version != policy().version


def test_the_content_makes_the_same_policy_again() -> None:
    assert Policy.from_json(policy().to_json()) == policy()
