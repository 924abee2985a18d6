"""The gate, case by case; a candidate exactly at a limit passes."""

from dataclasses import replace

import pytest

from app.settings import GateSettings
from app.training.evaluate import Figures, Measures
from app.training.gate import Champion, GateVerdict, judge
from app.training.groups import Group

LIMITS = GateSettings(
    min_roc_auc=0.8,
    max_calibration_error=0.02,
    max_auc_loss=0.002,
    max_brier_loss=0.0005,
    min_elderly_auc_ratio=0.9,
    min_elderly_approval_ratio=0.8,
)
NAN = float("nan")


def measures(roc_auc: float = 0.86, brier: float = 0.05, error: float = 0.005, approved: float = 0.7) -> Measures:
    return Measures(
        rows=1_000,
        bad_rate=0.07,
        roc_auc=roc_auc,
        brier=brier,
        calibration_error=error,
        ks=0.57,
        approval_rate=approved,
        recall=0.83,
        precision=0.18,
    )


def figures(
    overall: Measures | None = None,
    elderly: Measures | None = None,
    younger: Measures | None = None,
    violations: int = 0,
    withholding: int = 0,
    perverse: int = 0,
) -> Figures:
    return Figures(
        overall=overall or measures(),
        roc_auc_low=0.85,
        roc_auc_high=0.87,
        elderly=elderly or measures(),
        younger=younger or measures(),
        monotonicity_violations=violations,
        withholding=withholding,
        perverse=perverse,
    )


def against(champion: Measures, overall: Measures) -> GateVerdict:
    return judge(figures(overall), Champion("version 3", champion), LIMITS)


def test_the_first_candidate_passes_and_the_reasons_say_against_what() -> None:
    verdict = judge(figures(), None, LIMITS)
    assert verdict.passed
    assert verdict.reasons == [
        "ROC AUC 0.8600 is at or above the floor 0.8",
        "calibration error 0.0050 is at or below the ceiling 0.02",
        "the risk never moves against a monotone constraint",
        "no refused applicants would be accepted by leaving a value out",
        "no accepted applicants would be refused with a better value",
        "ROC AUC ratio of 62 and over to below 62 1.0000 is at or above the floor 0.9",
        "approval ratio of 62 and over to below 62 1.0000 is at or above the floor 0.8",
        "no model is in production to compare with",
    ]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (figures(measures(roc_auc=0.7999)), "ROC AUC 0.7999 is below the floor 0.8"),
        (figures(measures(roc_auc=NAN)), "ROC AUC cannot be measured on the held-out rows"),
        (figures(measures(error=0.0201)), "calibration error 0.0201 is above the ceiling 0.02"),
        (figures(measures(error=NAN)), "calibration error cannot be measured on the held-out rows"),
        (figures(withholding=2), "2 refused applicants would be accepted by leaving a value out"),
        (figures(perverse=1), "1 accepted applicants would be refused with a better value"),
        (figures(violations=3), "the risk moves against a monotone constraint in 3 places"),
        (
            figures(elderly=measures(roc_auc=0.7), younger=measures(roc_auc=0.8)),
            "ROC AUC ratio of 62 and over to below 62 0.8750 is below the floor 0.9",
        ),
        (
            figures(elderly=measures(approved=0.5), younger=measures(approved=0.8)),
            "approval ratio of 62 and over to below 62 0.6250 is below the floor 0.8",
        ),
    ],
)
def test_each_limit_that_is_missed_refuses_alone(candidate: Figures, reason: str) -> None:
    assert judge(candidate, None, LIMITS) == GateVerdict(False, [reason])


@pytest.mark.parametrize(
    "candidate",
    [
        figures(measures(roc_auc=0.8)),
        figures(measures(error=0.02)),
        figures(elderly=measures(roc_auc=0.72), younger=measures(roc_auc=0.8)),
        figures(elderly=measures(approved=0.56), younger=measures(approved=0.7)),
    ],
)
def test_a_candidate_exactly_at_a_limit_passes(candidate: Figures) -> None:
    assert judge(candidate, None, LIMITS).passed


def test_every_reason_is_given_and_not_the_first_only() -> None:
    poor = figures(measures(roc_auc=0.5, brier=0.09, error=0.3), measures(roc_auc=0.1, approved=0.1), violations=1)
    verdict = judge(poor, Champion("version 3", measures()), LIMITS)
    assert not verdict.passed
    assert len(verdict.reasons) == 7


@pytest.mark.parametrize("candidate", [replace(figures(), elderly=None), replace(figures(), younger=None)])
def test_a_slice_that_cannot_be_measured_is_not_taken_on_trust(candidate: Figures) -> None:
    verdict = judge(candidate, None, LIMITS)
    assert not verdict.passed
    assert verdict.reasons == [
        "ROC AUC ratio of 62 and over to below 62 cannot be measured on the held-out rows",
        "approval ratio of 62 and over to below 62 cannot be measured on the held-out rows",
    ]


def test_a_model_that_refuses_everybody_below_62_has_no_ratio_to_pass_with() -> None:
    verdict = judge(figures(younger=measures(approved=0.0)), None, LIMITS)
    assert verdict.reasons == ["approval ratio of 62 and over to below 62 cannot be measured on the held-out rows"]


def test_the_same_model_again_passes_against_itself() -> None:
    verdict = against(measures(), measures())
    assert verdict.passed
    assert verdict.reasons[-2:] == [
        "not worse than version 3 beyond 0.002: ROC AUC 0.8600 against 0.8600 on the same held-out rows",
        "not worse than version 3 beyond 0.0005: Brier score 0.0500 against 0.0500 on the same held-out rows",
    ]


def test_a_loss_of_exactly_the_margin_passes() -> None:
    assert against(measures(roc_auc=0.862), measures(roc_auc=0.860)).passed
    assert against(measures(brier=0.0500), measures(brier=0.0505)).passed


def test_a_greater_loss_of_roc_auc_is_refused() -> None:
    verdict = against(measures(roc_auc=0.8625), measures(roc_auc=0.8604))
    assert verdict == GateVerdict(
        False, ["worse than version 3 by more than 0.002: ROC AUC 0.8604 against 0.8625 on the same held-out rows"]
    )


def test_a_greater_loss_of_brier_score_is_refused() -> None:
    verdict = against(measures(brier=0.0500), measures(brier=0.0506))
    assert verdict == GateVerdict(
        False, ["worse than version 3 by more than 0.0005: Brier score 0.0506 against 0.0500 on the same held-out rows"]
    )


def test_a_better_candidate_replaces_the_champion() -> None:
    assert against(measures(), measures(roc_auc=0.87, brier=0.049)).passed


def test_a_champion_that_cannot_be_compared_with_is_a_refusal_and_not_an_absence() -> None:
    verdict = judge(figures(), Champion("version 3", None, "it takes 7 inputs"), LIMITS)
    assert verdict == GateVerdict(False, ["version 3 in production cannot be compared with: it takes 7 inputs"])


def test_a_champion_of_fewer_unseen_rows_is_compared_on_those() -> None:
    champion = Champion("version 3", measures(roc_auc=0.86), candidate=measures(roc_auc=0.85))
    verdict = judge(figures(measures(roc_auc=0.9)), champion, LIMITS)
    assert not verdict.passed
    assert "0.8500 against 0.8600" in verdict.reasons[0]


GROUPS = [
    Group("sex", "male", 700, 0.7, 1.0, 1.0, 1.0, 0.86, 1.0, 0.01),
    Group("sex", "female", 300, 0.49, 0.7, 0.65, 0.75, 0.774, 0.9, 0.03),
]


@pytest.mark.parametrize(
    ("limit", "missed"),
    [
        ({}, None),
        ({"min_group_approval_ratio": 0.7}, None),
        ({"min_group_approval_ratio": 0.8}, "approval ratio of sex female to the largest group 0.7000 is below"),
        ({"min_group_auc_ratio": 0.9}, None),
        ({"min_group_auc_ratio": 0.95}, "ROC AUC ratio of sex female to the largest group 0.9000 is below"),
        ({"max_group_calibration_error": 0.02}, "calibration error of sex female 0.0300 is above the ceiling 0.02"),
    ],
)
def test_groups_that_no_model_sees_have_limits_where_they_are_set(limit: dict[str, float], missed: str | None) -> None:
    verdict = judge(figures(), None, LIMITS.model_copy(update=limit), groups=GROUPS)
    assert verdict.passed is (missed is None)
    assert missed is None or [reason for reason in verdict.reasons if missed in reason]


def test_a_ratio_of_groups_that_cannot_be_measured_is_missed() -> None:
    nobody = replace(GROUPS[1], approval_ratio=NAN)
    limits = LIMITS.model_copy(update={"min_group_approval_ratio": 0.8})
    assert judge(figures(), None, limits, groups=[nobody]).reasons == [
        "approval ratio of sex female to the largest group cannot be measured on the held-out rows"
    ]
