"""Groups that no model sees are joined with the record by application, and compared as fairlearn does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_ratio

from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.repository import Store
from app.errors import OutcomesInvalid
from app.outcomes.given import read_groups
from app.reports.fairness import ALL, LIMITS, FairnessReport
from app.scoring.decider import Decider
from app.scoring.explaining import factor_effects
from app.scoring.model import Row, ScoringModel
from harness.fields import CONTRACT
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    ROW,
    SECOND,
    challenged,
    decided,
    fairness_of,
    linked,
    policy_entry,
    policy_of_tests,
)

MONTH = 31 * 86_400 * SECOND
ACCEPTING = Decider(constant_model(0.01, "3"), policy_of_tests())
REFUSING = Decider(constant_model(0.3, "3"), policy_of_tests())
GROUPS = ["a"] * 60 + ["b"] * 40
ACCEPTED = np.array([at % 4 > 0 for at in range(60)] + [at % 2 > 0 for at in range(40)])


@pytest.fixture
def report(store: Store) -> FairnessReport:
    """Of a hundred applications in two groups, one that the file does not have, and one of October."""
    entries = [
        decided(ACCEPTING if accepted else REFUSING, at=NOON + at * SECOND, application_id=f"A-{at}")
        for at, accepted in enumerate(ACCEPTED)
    ]
    entries.append(decided(ACCEPTING, at=NOON + 200 * SECOND, application_id="A-unknown"))
    entries.append(decided(ACCEPTING, at=NOON + MONTH, application_id="A-0"))
    store.insert(linked([policy_entry(), *entries]))
    known = {f"A-{at}": (group,) for at, group in enumerate(GROUPS)}
    return fairness_of(store, known)


def test_the_ratio_is_fairlearns(report: FairnessReport) -> None:
    assert (report.decisions, report.joined) == (102, 101)
    september = {it.group: it for it in report.groups if it.month == "2026-09"}
    assert (september["a"].decisions, september["b"].decisions) == (60, 40)
    parity = demographic_parity_ratio(ACCEPTED, ACCEPTED, sensitive_features=np.array(GROUPS))
    assert september["b"].ratio == pytest.approx(parity)
    assert september["a"].ratio == 1.0
    assert september["b"].low < parity < september["b"].high


def test_all_come_first_and_months_apart(report: FairnessReport) -> None:
    assert [(it.month, it.version, it.group, it.decisions) for it in report.groups] == [
        (ALL, ALL, "a", 61),
        (ALL, ALL, "b", 40),
        ("2026-09", "3", "a", 60),
        ("2026-09", "3", "b", 40),
        ("2026-10", "3", "a", 1),
    ]
    assert str(report).startswith("101 of 102 decisions are on applications of the file")
    assert str(report).endswith(LIMITS)


def test_where_nobody_is_approved_there_is_no_ratio(sqlite_store: Store) -> None:
    sqlite_store.insert(linked([policy_entry(), decided(REFUSING, application_id="A-1")]))
    found = fairness_of(sqlite_store, {"A-1": ("a",)})
    assert all(np.isnan(it.ratio) for it in found.groups)
    assert " - " in str(found)


def test_a_band_holds_what_the_equally_risky_got(store: Store) -> None:
    entries = [
        decided(ACCEPTING if at % 2 else REFUSING, at=NOON + at * SECOND, application_id=f"A-{at}") for at in range(40)
    ]
    store.insert(linked([policy_entry(), *entries]))
    known = {f"A-{at}": ("a" if at < 30 else "b",) for at in range(40)}
    outcomes = {it.key: KnownOutcome(int(at < 5), "2026-12-01") for at, it in enumerate(entries)}
    found = fairness_of(store, known, outcomes=outcomes).bands
    assert [(it.low, it.high, it.group, it.decisions, it.approval_rate, it.outcomes) for it in found] == [
        (0.01, 0.02, "a", 15, 1.0, 15),
        (0.01, 0.02, "b", 5, 1.0, 5),
        (0.2, 1.0, "a", 15, 0.0, 0),
        (0.2, 1.0, "b", 5, 0.0, 0),
    ]
    assert found[0].bad_rate.value == pytest.approx(2 / 15)
    assert found[0].expected_bad_rate == pytest.approx(0.01)
    assert np.isnan(found[2].bad_rate.value)


def test_a_challengers_swaps_are_told_by_group(store: Store) -> None:
    entries = [decided(ACCEPTING, at=NOON + at * SECOND, application_id=f"A-{at}") for at in range(30)]
    entries += [decided(REFUSING, at=NOON + (30 + at) * SECOND, application_id=f"A-{30 + at}") for at in range(10)]
    scores = [challenged(it, 0.3 if at < 6 else 0.01) for at, it in enumerate(entries)]
    store.insert(linked([policy_entry(), *entries, *scores]))
    found = fairness_of(store, {f"A-{at}": ("b" if at < 4 else "a",) for at in range(40)})
    assert [
        (it.group, it.version, it.challenger, it.decisions, it.swapped_out, it.swapped_in) for it in found.swaps
    ] == [
        ("a", "3", "9", 36, 2, 10),
        ("b", "3", "9", 4, 4, 0),
    ]
    assert "only challenger" in str(found)


def test_a_factor_tells_how_far_it_sets_groups_apart(sqlite_store: Store, trained_model: ScoringModel) -> None:
    decider = Decider(trained_model, policy_of_tests())
    random = np.random.default_rng(5)
    use = random.uniform(0, 1.2, 400)
    rows: list[Row] = [[float(each), float(random.integers(21, 80)), *ROW[2:]] for each in use]
    # Who uses more of the credit lines is of group b.
    known = {f"A-{at}": ("b" if each > 0.8 else "a",) for at, each in enumerate(use)}
    entries = [decided(decider, row, NOON + at * SECOND, application_id=f"A-{at}") for at, row in enumerate(rows)]
    sqlite_store.insert(linked([policy_entry(), *entries]))
    report = fairness_of(sqlite_store, known, models={trained_model.identity.uri: trained_model})
    gaps = {it.factor: it for it in report.gaps}
    assert list(gaps) == ["", *CONTRACT.factor_names]
    assert {it.group for it in report.gaps} == {"b"}
    mine = [at for at, each in enumerate(use) if each > 0.8]
    others = [at for at, each in enumerate(use) if each <= 0.8]

    def mean(which: list[int], factor: str) -> float:
        effects = [factor_effects(decider, CONTRACT.vector(rows[at])) or [] for at in which]
        return float(np.mean([it.effect for each in effects for it in each if it.factor == factor]))

    for name in ("utilisation", "age", "dependents"):
        assert gaps[name].difference == pytest.approx(mean(mine, name) - mean(others, name))
    assert gaps["utilisation"].difference == max(it.difference for it in report.gaps if it.factor)
    assert gaps["utilisation"].ratio > gaps[""].ratio
    assert gaps[""].ratio == pytest.approx(next(it.ratio for it in report.groups if it.group == "b"))
    assert "approval ratio without it" in str(report)


def test_decisions_whose_model_is_gone_are_counted(sqlite_store: Store) -> None:
    sqlite_store.insert(linked([policy_entry(), decided(ACCEPTING, application_id="A-1")]))
    other = constant_model(0.2, "3")
    report = fairness_of(sqlite_store, {"A-1": ("a",)}, models={other.identity.uri: replace_digest(other)})
    assert (report.gaps, report.passed_over) == ([], 1)
    assert "1 decisions are left out" in str(report)


def replace_digest(model: ScoringModel) -> ScoringModel:
    """The same model with other files."""
    document = replace(model.document, identity=replace(model.identity, digest="e" * 64))
    return replace(model, document=document)


def test_groups_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("sex,application_id,age\nf,A-1,old\n,A-2,young\n")
    assert read_groups(path) == (("sex", "age"), {"A-1": ("f", "old"), "A-2": ("not stated", "young")})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("application_id\nA-1\n", "must have the column application_id, and one for each kind"),
        ("sex\nf\n", "must have the column application_id"),
        ("sex,application_id\nf,A-1\nm,A-1\n", "line 3: its application_id is in an earlier line too"),
        ("sex,application_id\nf,\n", "line 2: it has more or fewer values than the heading, or no application_id"),
        ("sex,application_id\nf\n", "line 2: it has more or fewer values"),
        ('sex,application_id\n"f,A-1\n', "is no CSV file in UTF-8"),
    ],
)
def test_a_file_of_groups_that_is_wrong_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(OutcomesInvalid, match=what):
        read_groups(path)
