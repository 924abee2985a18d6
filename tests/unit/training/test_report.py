"""What people read about a training."""

import re
from dataclasses import replace

from app.settings import Settings
from app.training.gate import Champion, GateVerdict
from app.training.pipeline import Outcome
from app.training.report import model_card, terminal_report
from harness.fields import CONTRACT


def test_the_table_is_aligned_and_says_which_column_is_what(outcome: Outcome, settings: Settings) -> None:
    table = terminal_report(outcome, settings).split("\n\n")[1].splitlines()
    assert len({len(line) for line in table}) == 1
    headings = [heading for heading in re.split(r" {2,}", table[0]) if heading]
    assert headings == ["5-fold CV mean", "held out", "95 % interval", "reference architecture"]
    assert f"{outcome.figures.overall.roc_auc:.4f}" in table[1]
    assert f"{outcome.figures.roc_auc_low:.4f} to {outcome.figures.roc_auc_high:.4f}" in table[1]


def test_the_verdict_comes_with_every_reason(shuffled_outcome: Outcome, settings: Settings) -> None:
    text = terminal_report(shuffled_outcome, settings)
    assert "gate: REFUSED" in text
    for reason in shuffled_outcome.verdict.reasons:
        assert f"  - {reason}" in text


def test_the_champion_has_a_column_of_its_own(outcome: Outcome, settings: Settings) -> None:
    beside = replace(outcome, champion=Champion("version 3", outcome.origin))
    assert "version 3 (production)" in terminal_report(beside, settings)
    broken = replace(outcome, champion=Champion("version 3", None, "it is pickled"))
    assert "version 3" not in terminal_report(broken, settings)


def test_what_could_not_be_measured_is_said_and_a_slice_left_out(outcome: Outcome, settings: Settings) -> None:
    overall = replace(outcome.figures.overall, precision=float("nan"))
    text = terminal_report(replace(outcome, figures=replace(outcome.figures, overall=overall, elderly=None)), settings)
    assert "not measurable" in text
    assert "nan" not in text
    assert "below 62" in text
    assert "62 and over  below" not in text


def test_the_model_card_names_data_seed_constraints_limits_and_verdict(outcome: Outcome, settings: Settings) -> None:
    card = model_card(replace(outcome, verdict=GateVerdict(False, ["ROC AUC is low", "so is trust"])), settings)
    for part in (
        outcome.dataset.name,
        outcome.digest,
        f"| seed | {settings.train.seed} |",
        "Verdict: **refused**",
        "- ROC AUC is low\n- so is trust",
        "## Limits of use",
        f"ROC AUC at least {settings.train.gate.min_roc_auc:g}",
        *CONTRACT.factor_names,
    ):
        assert part in card
    assert len(card.splitlines()) < 110
