"""Groups that no model sees are joined with the record by application, and compared as fairlearn does."""

from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_ratio

from app.audit.store.repository import Store
from app.errors import OutcomesInvalid
from app.outcomes.given import read_groups
from app.reports.fairness import ALL, LIMITS, FairnessReport, fairness_report
from app.scoring.decider import Decider
from tests.support.fakes import constant_model
from tests.support.records import NOON, SECOND, decided, linked, policy_entry, policy_of_tests

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
    return fairness_report(store.decisions(None, None), ("kind",), known, {}, lambda _: None)


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
    found = fairness_report(sqlite_store.decisions(None, None), ("kind",), {"A-1": ("a",)}, {}, lambda _: None)
    assert all(np.isnan(it.ratio) for it in found.groups)
    assert " - " in str(found)


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
