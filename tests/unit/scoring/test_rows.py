"""The decider of many rows decides as the decider of one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from app.errors import NotCompilable
from app.policy_file import load_policy
from app.scoring.decider import Decider, Decision
from app.scoring.forms.extract import Spec, extract
from app.scoring.model import ModelDocument, ScoringModel
from app.scoring.policy import VERDICTS, Policy
from app.scoring.rows import ACCEPTED, NO_REASON, Decisions, RowsDecider
from app.settings import Settings
from harness.fields import AGE, FEATURES, PLAIN, POSITIONS
from harness.population import reference
from tests.support.estimators import Rows, quirky_rows
from tests.support.fakes import constant_document, constant_model, failing_model
from tests.support.plain import PLAIN_ALL, plain_policy

POLICY = load_policy(Settings())
PLAIN_POLICY = plain_policy()


def plain_document() -> ModelDocument:
    """Of a model that takes the fields as they stand."""
    return replace(constant_document(0.5), contract=PLAIN, reference=reference(FEATURES))


def one_by_one(decider: Decider, rows: Rows) -> list[Decision]:
    return [decider.decide(row) for row in rows.tolist()]


def unfolded(rows_decider: RowsDecider, made: Decisions) -> list[Decision]:
    """As the decider of one says it."""
    numbers = iter(made.reasons.tolist())
    return [
        Decision(probability, "ACCEPT", [])
        if place == ACCEPTED
        else Decision(
            probability, VERDICTS[place], [rows_decider.vocabulary[it] for it in next(numbers) if it != NO_REASON]
        )
        for probability, place in zip(made.probabilities, made.verdicts.tolist(), strict=True)
    ]


def decided_alike(model: ScoringModel, policy: Policy, rows: Rows) -> list[Decision]:
    """The decisions, after both ways were compared."""
    rows_decider = RowsDecider(Decider(model, policy))
    expected = one_by_one(rows_decider.decider, rows)
    made = rows_decider.decide(rows)
    assert unfolded(rows_decider, made) == expected
    assert rows_decider.count_reasons(made) == Counter(reason.code for it in expected for reason in it.reasons)
    return expected


@pytest.mark.parametrize("threshold", [0.001, 0.05, 0.3, 0.99])
def test_a_trained_model_decides_alike_under_any_threshold(
    trained_model: ScoringModel, applicants: Rows, threshold: float
) -> None:
    made = decided_alike(trained_model, replace(POLICY, threshold=threshold), applicants)
    assert (threshold == 0.99) == all(it.verdict == "ACCEPT" for it in made)


def test_between_acceptance_and_refusal_a_person_decides(trained_model: ScoringModel, applicants: Rows) -> None:
    rows = applicants.copy()
    rows[::3, AGE] = 17.0
    made = decided_alike(trained_model, replace(POLICY, review=0.02), rows)
    assert {it.verdict for it in made} == {"ACCEPT", "REJECT", "REVIEW"}
    for it in made:
        child = any(reason.code == "LEGAL_AGE" for reason in it.reasons)
        assert it.verdict == (
            "REJECT" if child or it.probability >= 0.05 else "REVIEW" if it.probability >= 0.02 else "ACCEPT"
        )
        assert bool(it.reasons) == (it.verdict != "ACCEPT")
    without = decided_alike(trained_model, POLICY, rows)
    assert [it.verdict == "REJECT" for it in without] == [it.verdict == "REJECT" for it in made]


def test_the_minimum_age_refuses_and_comes_first(trained_model: ScoringModel, applicants: Rows) -> None:
    children = applicants.copy()
    children[::2, AGE] = 17.0
    made = decided_alike(trained_model, POLICY, children)
    assert {it.reasons[0].code for it in made[::2]} == {"LEGAL_AGE"}
    assert {len(it.reasons) for it in made[::2]} >= {1, 4}
    decided_alike(trained_model, replace(POLICY, rules=()), children)


def test_a_model_with_the_row_number_among_its_inputs_decides_alike(origin: Any) -> None:
    document = replace(plain_document(), spec=extract(origin), contract=PLAIN_ALL, reference=reference(POSITIONS))
    decided_alike(ScoringModel.compiled(document), replace(PLAIN_POLICY, threshold=0.5), quirky_rows(1000, 11, seed=8))


def test_a_model_that_takes_its_inputs_in_another_order_decides_alike(boosted: Any) -> None:
    turned = PLAIN.with_factors([PLAIN.factors[at] for at in (9, 2, 1, 0, 3, 8, 7, 6, 5, 4)])
    document = replace(plain_document(), spec=extract(boosted), contract=turned)
    decided_alike(ScoringModel.compiled(document), replace(PLAIN_POLICY, threshold=0.4), quirky_rows(1000, 11, seed=9))


def test_where_only_several_features_together_explain_a_refusal_they_do() -> None:
    """The risk is high where exactly one of two values is above 0.5, or neither is; the reference has both."""
    tree: Spec = {
        "leaf": [False, False, False, True, True, True, True],
        "value": [0.0, 0.0, 0.0, 1.0, 2.0, 2.0, -5.0],
        "feature": [0, 3, 3, 0, 0, 0, 0],
        "threshold": [0.5] * 7,
        "missing_left": [True] * 7,
        "left": [1, 3, 5, 0, 0, 0, 0],
        "right": [2, 4, 6, 0, 0, 0, 0],
    }
    spec = {"kind": "boosted_trees", "inputs": 10, "baseline": 0.0, "trees": [tree]}
    (made,) = decided_alike(
        ScoringModel.compiled(replace(plain_document(), spec=spec)), PLAIN_POLICY, np.zeros((1, 11)) + 0.25
    )
    assert {reason.feature for reason in made.reasons} <= {FEATURES[0], FEATURES[3], "age"}
    assert len(made.reasons) >= 2


def test_a_refusal_that_nothing_explains_says_so() -> None:
    made = decided_alike(constant_model(0.3), POLICY, np.full((3, 11), 40.0))
    assert {it.reasons[0].code for it in made} == {POLICY.unexplained.code}
    unknown = replace(constant_document(0.3), reference=None)
    decided_alike(ScoringModel.compiled(unknown), POLICY, np.full((3, 11), 40.0))


VALUE = st.one_of(st.just(float("nan")), st.floats(-1e300, 1e300), st.sampled_from([0.0, 1.0, 17.0, 18.0, 61.0, 62.0]))


@settings(deadline=None, max_examples=100)
@given(rows=st.lists(st.lists(VALUE, min_size=11, max_size=11), min_size=1, max_size=20))
def test_any_rows_are_decided_alike(trained_model: ScoringModel, rows: Sequence[Sequence[float]]) -> None:
    decided_alike(trained_model, POLICY, np.array(rows))


def test_without_reasons_the_decisions_are_the_same(trained_model: ScoringModel, applicants: Rows) -> None:
    rows_decider = RowsDecider(Decider(trained_model, POLICY))
    with_reasons, without = rows_decider.decide(applicants), rows_decider.decide(applicants, with_reasons=False)
    assert with_reasons.probabilities == without.probabilities
    assert with_reasons.verdicts.tolist() == without.verdicts.tolist()
    assert len(without.reasons) == 0


def test_a_model_that_is_not_compiled_is_refused() -> None:
    document: ModelDocument = replace(constant_document(0.5), spec={"kind": "uncompiled"}, reference=None)
    with pytest.raises(NotCompilable):
        RowsDecider(Decider(replace(failing_model("never asked"), document=document), POLICY))
