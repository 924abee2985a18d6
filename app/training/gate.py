"""Whether a candidate may go into production. Pure: figures in, verdict with every reason out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.settings import GateSettings
from app.training.evaluate import Figures, Measures
from app.training.groups import Group

# So that a candidate exactly at a limit passes whatever the last bit of a difference of floats says.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Champion:
    """The model now in production: measured on the same held-out rows, or the problem that prevented it."""

    label: str
    """Such as "version 3"."""
    measures: Measures | None
    problem: str = ""
    candidate: Measures | None = None
    """The candidate's on the same rows, where the champion was trained on a part of the candidate's held-out ones."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """passed: the alias may move. reasons: everything that failed, or when passed what was held against it."""

    passed: bool
    reasons: list[str]


def judge(
    candidate: Figures,
    champion: Champion | None,
    limits: GateSettings,
    by_age: bool = True,
    groups: Sequence[Group] = (),
) -> GateVerdict:
    """Every limit is checked; one that cannot be measured counts as missed.

    champion: None when nothing is in production yet. by_age: whether the contract has an age to compare by. groups:
    those that are large enough to be measured.
    """
    checks = [
        _at_least("ROC AUC", candidate.overall.roc_auc, limits.min_roc_auc),
        _at_most("calibration error", candidate.overall.calibration_error, limits.max_calibration_error),
        _monotone(candidate.monotonicity_violations),
        _nobody(candidate.withholding, "refused applicants would be accepted by leaving a value out"),
        _nobody(candidate.perverse, "accepted applicants would be refused with a better value"),
        *(_of_the_elderly(candidate, limits) if by_age else []),
        *(check for group in groups for check in _of_group(group, limits)),
        *_against(candidate.overall, champion, limits),
    ]
    missed = [reason for held, reason in checks if not held]
    return GateVerdict(not missed, missed or [reason for _, reason in checks])


def _of_the_elderly(candidate: Figures, limits: GateSettings) -> list[tuple[bool, str]]:
    asked = [
        ("ROC AUC ratio", candidate.elderly_auc_ratio, limits.min_elderly_auc_ratio),
        ("approval ratio", candidate.elderly_approval_ratio, limits.min_elderly_approval_ratio),
    ]
    return [_at_least(f"{name} of 62 and over to below 62", value, floor) for name, value, floor in asked if floor]


def _of_group(group: Group, limits: GateSettings) -> Iterator[tuple[bool, str]]:
    name = f"of {group.column} {group.name}"
    if floor := limits.min_group_auc_ratio:
        yield _at_least(f"ROC AUC ratio {name} to the largest group", group.auc_ratio, floor)
    if floor := limits.min_group_approval_ratio:
        yield _at_least(f"approval ratio {name} to the largest group", group.approval_ratio, floor)
    if ceiling := limits.max_group_calibration_error:
        yield _at_most(f"calibration error {name}", group.calibration_error, ceiling)


def _at_least(name: str, value: float, floor: float) -> tuple[bool, str]:
    if value >= floor - ROUNDING:
        return True, f"{name} {value:.4f} is at or above the floor {floor:g}"
    return False, _unmeasured(name, value) or f"{name} {value:.4f} is below the floor {floor:g}"


def _at_most(name: str, value: float, ceiling: float) -> tuple[bool, str]:
    if value <= ceiling + ROUNDING:
        return True, f"{name} {value:.4f} is at or below the ceiling {ceiling:g}"
    return False, _unmeasured(name, value) or f"{name} {value:.4f} is above the ceiling {ceiling:g}"


def _monotone(violations: int) -> tuple[bool, str]:
    if violations == 0:
        return True, "the risk never moves against a monotone constraint"
    return False, f"the risk moves against a monotone constraint in {violations} places"


def _nobody(count: int, what: str) -> tuple[bool, str]:
    return count == 0, f"{count or 'no'} {what}"


def _against(candidate: Measures, champion: Champion | None, limits: GateSettings) -> list[tuple[bool, str]]:
    if champion is None:
        return [(True, "no model is in production to compare with")]
    if champion.measures is None:
        problem = f"{champion.label} in production cannot be compared with: {champion.problem}"
        return [(False, problem)]
    candidate = champion.candidate or candidate
    return [
        _no_loss(
            "ROC AUC",
            candidate.roc_auc,
            champion.measures.roc_auc,
            champion.measures.roc_auc - candidate.roc_auc,
            limits.max_auc_loss,
            champion.label,
        ),
        _no_loss(
            "Brier score",
            candidate.brier,
            champion.measures.brier,
            candidate.brier - champion.measures.brier,
            limits.max_brier_loss,
            champion.label,
        ),
    ]


def _no_loss(name: str, mine: float, its: float, loss: float, most: float, label: str) -> tuple[bool, str]:
    compared = f"{name} {mine:.4f} against {its:.4f} on the same held-out rows"
    if loss <= most + ROUNDING:
        return True, f"not worse than {label} beyond {most:g}: {compared}"
    return False, f"worse than {label} by more than {most:g}: {compared}"


def _unmeasured(name: str, value: float) -> str:
    return "" if value == value else f"{name} cannot be measured on the held-out rows"
