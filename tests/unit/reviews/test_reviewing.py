"""A person's decision holds in place of the service's, with words of the policy, a name and a reason."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.audit.commands.export import export
from app.audit.commands.history import history
from app.audit.commands.show import show
from app.audit.commands.verify import verify
from app.audit.store.lookup import decision_of
from app.audit.store.outcome_rows import outcomes
from app.audit.store.repository import Store
from app.audit.store.review_rows import count_waiting, reviews, waiting
from app.errors import LetterInvalid, OutcomesInvalid, ReviewRefused
from app.letters.template import read_template
from app.letters.writing import letter_of
from app.outcomes.given import Given
from app.outcomes.loading import load_outcomes
from app.reports.performance import outcome_report
from app.reviews.reviewing import LONGEST_NOTE, Judgement, keep_review, review_of
from app.scoring.decider import Decider
from app.settings import Settings
from harness.fields import CONTRACT
from tests.support.fakes import constant_model
from tests.support.records import (
    NOON,
    ROW,
    SECOND,
    SIGNER,
    TRUST,
    decided,
    fairness_of,
    linked,
    policy_entry,
    policy_of_tests,
    read_all,
)

POLICY = replace(policy_of_tests(), review=0.02)
CODE = "LATE_30_DAYS"


@pytest.fixture
def keys(store: Store) -> list[str]:
    """Of an ACCEPT, a REVIEW, a REJECT, another REVIEW and a child's REJECT."""
    entries = [
        decided(Decider(constant_model(probability), POLICY), row, NOON + at * SECOND, application_id=f"A-{at}")
        for at, (probability, row) in enumerate(
            [(0.01, ROW), (0.03, ROW), (0.3, ROW), (0.04, ROW), (0.01, [ROW[0], 17.0, *ROW[2:]])]
        )
    ]
    store.insert(linked([policy_entry(policy=POLICY), *entries]), SIGNER)
    return [it.key for it in entries]


def judge(
    store: Store, key: str, verdict: str, codes: Sequence[str] = (), note: str = "three payslips", by: str = "J. Doe"
) -> list[str]:
    stored = store.decision(key)
    assert stored is not None
    before = review_of(store, key)
    return keep_review(
        store, stored, POLICY, Judgement(verdict, note, codes, before.hash if before else None), by, SIGNER
    )


def test_what_waits_is_told_oldest_first_until_somebody_decides(store: Store, keys: list[str]) -> None:
    assert [it.key for it in waiting(store, 10)] == [keys[1], keys[3]]
    assert [it.key for it in waiting(store, 1)] == [keys[1]]
    assert count_waiting(store) == (2, NOON + SECOND)
    assert judge(store, keys[1], "ACCEPT") == []
    assert count_waiting(store) == (1, NOON + 3 * SECOND)
    assert judge(store, keys[3], "REJECT", [CODE]) == []
    assert count_waiting(store) == (0, None)
    assert verify(store, None, None, [], lambda _: None, trust=TRUST).bad == 0


def test_a_review_is_read_back_wherever_the_decision_is(store: Store, keys: list[str]) -> None:
    judge(store, keys[1], "REJECT", [CODE], note=" no employer confirms it ")
    found = decision_of(store, keys[1])
    assert found is not None
    review = found["review"]
    assert (review["verdict"], review["by"], review["note"]) == ("REJECT", "J. Doe", "no employer confirms it")
    assert review["reasons"] == [{"code": CODE, "text": POLICY.phrases[CODE]}]
    told = str(show(store, keys[1], CONTRACT))
    assert "review      REJECT by J. Doe, " in told
    assert POLICY.phrases[CODE] in told
    untouched = decision_of(store, keys[3])
    assert untouched is not None
    assert untouched["review"] is None


def test_what_the_service_decided_can_be_overridden_and_that_again(store: Store, keys: list[str]) -> None:
    assert judge(store, keys[0], "REJECT", [CODE]) == []
    assert judge(store, keys[2], "ACCEPT") == []
    assert judge(store, keys[2], "REJECT", [CODE], by="A. Roe") == []
    found = reviews(store)
    assert {key: (it.was, it.verdict, it.by) for key, it in found.items()} == {
        keys[0]: ("ACCEPT", "REJECT", "J. Doe"),
        keys[2]: ("REJECT", "REJECT", "A. Roe"),
    }


def test_the_history_and_an_export_have_it(store: Store, keys: list[str], tmp_path: Path) -> None:
    judge(store, keys[1], "ACCEPT")
    (line,) = [it for it in str(history(store, None, None)).splitlines() if "  review  " in it]
    assert line.endswith(f"decision {keys[1]}, REVIEW: ACCEPT; by J. Doe: three payslips")
    export(store.decisions(None, None), store, CONTRACT, tmp_path / "all.csv", lambda _: None)
    with (tmp_path / "all.csv").open() as file:
        rows = {it["id"]: (it["decision"], it["review"], it["reviewed_by"]) for it in csv.DictReader(file)}
    assert rows[keys[1]] == ("REVIEW", "ACCEPT", "J. Doe")
    assert rows[keys[3]] == ("REVIEW", "", "")


@pytest.mark.parametrize(
    ("at", "verdict", "codes", "note", "wrong"),
    [
        (1, "", [], "why", "Choose ACCEPT or REJECT."),
        (1, "REVIEW", [], "why", "Choose ACCEPT or REJECT."),
        (1, "ACCEPT", [], " ", "Say why."),
        (1, "ACCEPT", [], "x" * (LONGEST_NOTE + 1), "Why is 1,001 characters; 1,000 are the most."),
        (1, "REJECT", [], "why", "Choose one to 4 reasons, which the applicant will be told."),
        (1, "REJECT", [*POLICY.phrases][:5], "why", "Choose one to 4 reasons, which the applicant will be told."),
        (1, "REJECT", ["NOT_THERE"], "why", f"Policy {POLICY.version} has no words for NOT_THERE."),
        (0, "ACCEPT", [], "why", "It is an ACCEPT already."),
        (2, "REJECT", [CODE], "why", "It is a REJECT already."),
        (4, "ACCEPT", [], "w", "The rule of LEGAL_AGE refuses whatever anybody says; the policy would have to change "),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    store: Store, keys: list[str], at: int, verdict: str, codes: list[str], note: str, wrong: str
) -> None:
    (said,) = judge(store, keys[at], verdict, codes, note)
    assert said.startswith(wrong)
    assert reviews(store) == {}


def test_nobody_decides_past_a_review_that_they_did_not_see(store: Store, keys: list[str]) -> None:
    judge(store, keys[1], "ACCEPT")
    stored = store.decision(keys[1])
    assert stored is not None
    with pytest.raises(ReviewRefused, match="meanwhile"):
        keep_review(store, stored, POLICY, Judgement("REJECT", "why", [CODE], None), "A. Roe", SIGNER)
    assert reviews(store)[keys[1]].verdict == "ACCEPT"


def test_a_letter_tells_what_a_person_decided(store: Store, keys: list[str]) -> None:
    template = read_template(Settings().letters.template_file)
    stored = store.decision(keys[1])
    assert stored is not None
    with pytest.raises(LetterInvalid, match="waits for a person"):
        letter_of(stored, template, [], None)
    judge(store, keys[1], "REJECT", [CODE])
    told = letter_of(stored, template, [], review_of(store, keys[1])).html
    assert POLICY.phrases[CODE] in told
    judge(store, keys[1], "ACCEPT")
    with pytest.raises(LetterInvalid, match="is an ACCEPT"):
        letter_of(stored, template, [], review_of(store, keys[1]))


def given(key: str) -> list[Given]:
    return [Given(2, key, None, 1, "2026-12-01")]


def test_outcomes_are_about_whom_a_person_accepted_too(store: Store, keys: list[str]) -> None:
    with pytest.raises(OutcomesInvalid, match="waits for a person"):
        load_outcomes(store, given(keys[1]), "x.csv", "somebody", SIGNER, lambda _: None)
    judge(store, keys[1], "ACCEPT")
    judge(store, keys[0], "REJECT", [CODE])
    judge(store, keys[2], "ACCEPT")
    for key in (keys[1], keys[2]):
        assert load_outcomes(store, given(key), "x.csv", "somebody", SIGNER, lambda _: None).new == 1
    by_application = [Given(2, None, "A-0", 0, "2026-12-01")]
    with pytest.raises(OutcomesInvalid, match="no accepted decision on that application"):
        load_outcomes(store, by_application, "x.csv", "somebody", SIGNER, lambda _: None)


def test_reports_count_what_people_decided_by_direction_and_by_person(store: Store, keys: list[str]) -> None:
    judge(store, keys[1], "ACCEPT")
    judge(store, keys[2], "ACCEPT")
    judge(store, keys[0], "REJECT", [CODE], by="A. Roe")
    load_outcomes(store, given(keys[2]), "x.csv", "somebody", SIGNER, lambda _: None)
    found = outcome_report(read_all(store, reviews(store)), outcomes(store), store, CONTRACT)
    assert sum(it.approval_rate * it.decisions for it in found.periods) == pytest.approx(2)
    assert [(it.was, it.now, it.by, it.reviews, it.outcomes) for it in found.reviews] == [
        ("ACCEPT", "REJECT", "A. Roe", 1, 0),
        ("REJECT", "ACCEPT", "J. Doe", 1, 1),
        ("REVIEW", "ACCEPT", "J. Doe", 1, 0),
    ]
    assert found.reviews[1].bad_rate.value == 1.0
    assert "J. Doe" in str(found)
    groups = {f"A-{at}": ("all",) for at in range(5)}
    fair = fairness_of(store, groups, reviews(store))
    assert fair.groups[0].approval_rate == pytest.approx(2 / 5)
