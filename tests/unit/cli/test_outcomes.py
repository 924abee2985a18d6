"""`credit outcomes`, from a file to the report."""

import json
from pathlib import Path

import pytest

from app.audit.store.repository import Store
from app.reports.kept_reports import FAIRNESS, latest_report
from app.scoring.decider import Decider
from tests.support.commands import credit
from tests.support.fakes import constant_model
from tests.support.records import NOON, SECOND, SIGNER, decided, linked, policy_entry, policy_of_tests


@pytest.fixture
def keys(store: Store, database_uri: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of accepted decisions in the record that the commands find."""
    monkeypatch.setenv("DATABASE_URI", database_uri)
    decider = Decider(constant_model(0.02), policy_of_tests())
    entries = [decided(decider, at=NOON + at * SECOND) for at in range(50)]
    store.insert(linked([policy_entry(), *entries]), SIGNER)
    return [it.key for it in entries]


def test_a_file_is_loaded_once_and_reported(
    keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "september.csv"
    lines = [f"{key},{int(at < 1)},2026-12-01" for at, key in enumerate(keys)]
    file.write_text("\n".join(["decision_id,outcome,observed", *lines]))
    assert credit("outcomes", "load", str(file), "--by", "collections") == 0
    assert capsys.readouterr().out == "50 outcomes are new, 0 corrected, 0 were known already\n"
    assert credit("outcomes", "load", str(file), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"new": 0, "corrected": 0, "known": 50}
    assert credit("outcomes", "report", "--json") == 0
    (period,) = json.loads(capsys.readouterr().out)["periods"]
    assert (period["month"], period["outcomes"], period["bad_rate"]["value"]) == ("2026-09", 50, 0.02)


def test_a_file_with_a_wrong_line_is_refused_in_one_sentence(
    keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "september.csv"
    file.write_text(f"decision_id,outcome,observed\n{keys[0]},maybe,2026-12-01\n")
    assert credit("outcomes", "load", str(file)) == 2
    told = capsys.readouterr().err
    assert told == "error: september.csv, of which nothing was taken: line 2: outcome must be 1 or 0\n"


def test_groups_are_compared_by_their_file(
    store: Store, keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "groups.csv"
    file.write_text("application_id,sex\nA-1,f\n")
    assert credit("fairness", "--groups", str(file), "--json") == 0
    assert json.loads(capsys.readouterr().out)["decisions"] == len(keys)
    assert credit("fairness", "--groups", str(file), "--factors", "--json") == 0
    assert json.loads(capsys.readouterr().out)["gaps"] == []
    assert credit("fairness", "--groups", str(file), "--keep", "--markdown") == 0
    assert capsys.readouterr().out.startswith("# Groups that no model sees\n\n0 of 50 decisions")
    kept = latest_report(store, FAIRNESS)
    assert kept is not None
    assert (kept[1].decisions, kept[1].joined) == (50, 0)
    assert credit("outcomes", "report", "--markdown") == 0
    page = capsys.readouterr().out
    assert page.startswith("# Outcomes\n\n| month | version |")
    assert "\n|---|---:|" in page
    assert credit("outcomes", "report", "--markdown", "--json") == 2
    assert "two forms" in capsys.readouterr().err
    assert credit("fairness", "--groups", str(tmp_path / "none.csv")) == 2
    assert "none.csv cannot be read" in capsys.readouterr().err
