"""The command line of scoring files."""

from pathlib import Path

import pandas as pd
import pytest

from app.cli import batch as command
from app.errors import ModelUnavailable
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.settings import Settings
from tests.support.commands import credit
from tests.support.fakes import constant_model


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose model gives everybody 0.2."""
    decider = Decider(constant_model(0.2), load_policy(Settings()))
    monkeypatch.setattr(command, "decider_of", lambda *_: decider)


def run(folder: Path, pattern: str, *more: str) -> int:
    return credit("batch", "--input", str(folder / pattern), "--output", str(folder / "out"), *more)


def test_each_file_is_told_and_the_second_time_skipped(
    tmp_path: Path, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.csv", "b.csv"):
        table.to_csv(tmp_path / name, index=False)
    assert run(tmp_path, "*.csv", "--reasons") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[0] for line in lines] == ["a.csv: 500 rows", "b.csv: 500 rows"]
    assert all(" rows a second" in line for line in lines)
    assert run(tmp_path, "*.csv", "--reasons") == 0
    assert capsys.readouterr().out.count("scored before") == 2


def test_a_bad_file_is_told_and_the_others_are_scored(
    tmp_path: Path, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    table.to_csv(tmp_path / "b.csv", index=False)
    table.drop(columns="age").to_csv(tmp_path / "a.csv", index=False)
    assert run(tmp_path, "*.csv") == 2
    said = capsys.readouterr()
    assert said.err == "error: a.csv: column age is not there\n"
    assert said.out.startswith("b.csv: 500 rows, 500 refused")


def test_a_worker_takes_its_share(tmp_path: Path, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        table.head(3).to_csv(tmp_path / name, index=False)
    assert run(tmp_path, "*.csv", "--share", "0/2") == 0
    assert [line[:5] for line in capsys.readouterr().out.splitlines()] == ["a.csv", "c.csv"]
    assert run(tmp_path, "*.csv", "--share", "1/2") == 0
    assert [line[:5] for line in capsys.readouterr().out.splitlines()] == ["b.csv"]


def test_a_worker_without_a_share_has_done_all(tmp_path: Path, table: pd.DataFrame) -> None:
    table.head(3).to_csv(tmp_path / "a.csv", index=False)
    assert run(tmp_path, "*.csv", "--share", "3/4") == 0


@pytest.mark.parametrize("share", ["2/2", "x", "1", "-1/2", "0/0"])
def test_an_impossible_share_is_refused(tmp_path: Path, share: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "*.csv", f"--share={share}") == 2
    assert "is not an index and a count above it" in capsys.readouterr().err


def test_a_model_that_cannot_be_had_is_one_line(
    tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(*_: object) -> Decider:
        raise ModelUnavailable("the registry is away")

    monkeypatch.setattr(command, "decider_of", unavailable)
    table.to_csv(tmp_path / "a.csv", index=False)
    assert run(tmp_path, "a.csv") == 2
    assert capsys.readouterr().err == "error: the registry is away\n"
