"""A file of outcomes is taken whole, or refused by the lines that are wrong."""

from pathlib import Path

import pytest

from app.contract.contract import Contract
from app.errors import OutcomesInvalid
from app.outcomes.given import Given, outcome_of, read_given
from harness.fields import CONTRACT

KEY = "01a0c450-6c00-7000-80b6-5093f2a50944"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "outcomes.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_outcomes_are_read_by_decision_and_by_application(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"decision_id,application_id,outcome,observed\n{KEY.upper()},,1,2026-10-01\n,A-1, 0 ,2026-10-02\n",
        "utf-8-sig",
    )
    assert read_given(path, CONTRACT) == [
        Given(2, KEY, None, 1, "2026-10-01"),
        Given(3, None, "A-1", 0, "2026-10-02"),
    ]


def test_one_of_the_two_names_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path, "observed,outcome,application_id\n2026-10-01,0,A-1\n")
    assert read_given(path, CONTRACT) == [Given(2, None, "A-1", 0, "2026-10-01")]


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("outcome,observed", "lacks the columns decision_id or application_id"),
        ("decision_id,outcome", "lacks the columns observed"),
        ("decision_id,outcome,observed,income", "has no use for the columns income"),
        ("", "lacks the columns outcome, observed, decision_id or application_id"),
    ],
)
def test_other_columns_are_refused_by_name(tmp_path: Path, head: str, what: str) -> None:
    with pytest.raises(OutcomesInvalid, match=what):
        read_given(written(tmp_path, f"{head}\n"), CONTRACT)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"{KEY},A-1,1,2026-10-01", "it must have a decision_id or an application_id, and not both"),
        (",,1,2026-10-01", "it must have a decision_id or an application_id, and not both"),
        ("12,,1,2026-10-01", "decision_id is no id of a decision"),
        (f"{KEY},,2,2026-10-01", "outcome must be 1 or 0"),
        (f"{KEY},,,2026-10-01", "outcome must be 1 or 0"),
        (f"{KEY},,1,01.10.2026", "observed must be a day such as 2026-01-31"),
        (f"{KEY},,1,20261001", "observed must be a day such as 2026-01-31"),
        (f"{KEY},1,2026-10-01", "it has more or fewer values than the heading"),
        (f"{KEY},,1,2026-10-01,9", "it has more or fewer values than the heading"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_what_is_wrong(tmp_path: Path, line: str, what: str) -> None:
    path = written(tmp_path, f"decision_id,application_id,outcome,observed\n{KEY},,1,2026-10-01\n{line}\n")
    with pytest.raises(OutcomesInvalid, match=f"nothing was taken: line 3: {what}"):
        read_given(path, CONTRACT)


def test_of_many_wrong_lines_the_first_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "application_id,outcome,observed\n" + "A-1,x,2026-10-01\n" * 30)
    with pytest.raises(OutcomesInvalid, match=r"line 21: outcome must be 1 or 0; and 10 more$"):
        read_given(path, CONTRACT)


@pytest.mark.parametrize("content", [b"\xff\xfeo\x00", b'application_id,outcome,observed\n"A-1,0,2026-10-01\n'])
def test_what_is_no_csv_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_bytes(content)
    with pytest.raises(OutcomesInvalid, match="is no CSV file in UTF-8"):
        read_given(path, CONTRACT)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutcomesInvalid, match="cannot be read: No such file"):
        read_given(tmp_path / "none.csv", CONTRACT)


def test_an_outcome_is_what_the_contract_says() -> None:
    assert [outcome_of(text, CONTRACT) for text in ("1", "1.0", "0", "0.0", "bad", "2", "")] == [
        1,
        1,
        0,
        0,
        *[None] * 3,
    ]
    document = CONTRACT.to_json()
    document["outcome"] |= {"bad": "bad", "good": "good"}
    words = Contract.from_json(document)
    assert [outcome_of(text, words) for text in ("bad", "good", "1")] == [1, 0, None]
