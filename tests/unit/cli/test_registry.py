import json
import sys
from math import nan
from pathlib import Path
from typing import Any

import pytest

from app.promotion import comparing, judging
from app.promotion.judging import Promotion
from app.registry import aliases
from app.user import user
from tests.support.commands import credit


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_a_rollback_is_told_to_people_and_to_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(aliases, "roll_back", lambda alias, _: ("3", "2"))
    assert credit("registry", "rollback") == 0
    assert capsys.readouterr().out == "production names version 2 again; it named version 3\n"
    assert credit("registry", "rollback", "--alias", "challenger", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"alias": "challenger", "left": "3", "version": "2"}


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_the_gates_verdict_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passed: bool, code: int
) -> None:
    ended = Promotion("m", "3", "production", passed, ["a reason"], {"precision": nan})
    monkeypatch.setattr(judging, "promote", lambda *_: ended)
    assert credit("registry", "promote", "3", "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert (told["reasons"], told["figures"]) == (["a reason"], {"precision": None})


def history(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert credit("audit", "history", "--json") == 0
    events: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["events"]
    return events


def test_who_moved_an_alias_and_why_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Promotion("m", "3", "production", False, ["a reason"], {})
    monkeypatch.setattr(judging, "promote", lambda *_: refused)
    monkeypatch.setattr(aliases, "roll_back", lambda alias, _: ("3", "2"))
    assert credit("registry", "promote", "3", "--by", "ana", "--reason", "better", "--approved-by", "ben") == 1
    assert credit("registry", "rollback") == 0
    capsys.readouterr()
    first, second = history(capsys)
    told = {name: first[name] for name in ("what", "by", "reason", "approved_by", "about")}
    about = {"version": "3", "alias": "production", "gate": "refused"}
    assert told == {"what": "promotion", "by": "ana", "reason": "better", "approved_by": "ben", "about": about}
    assert (second["what"], second["by"], second["about"]["to"]) == ("rollback", user(), "2")
    assert credit("audit", "history") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "promotion   version 3, alias production, gate refused; by ana, approved by ben: better" in lines[0]
    assert credit("audit", "verify") == 0
    assert "2 links of 2 writers, 2 signed ends" in capsys.readouterr().out


def test_a_review_is_recorded_with_the_day_of_the_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[tuple[str, str]] = []
    monkeypatch.setattr(aliases, "set_review_due", lambda version, day, _: written.append((version, day)))
    assert credit("registry", "review", "3", "--due", "2027-01-31", "--by", "ana", "--reason", "as expected") == 0
    assert capsys.readouterr().out == "version 3 is reviewed; the next review is due by 2027-01-31\n"
    assert written == [("3", "2027-01-31")]
    (event,) = history(capsys)
    told = {name: event[name] for name in ("what", "by", "reason", "about")}
    about = {"version": "3", "due": "2027-01-31"}
    assert told == {"what": "model_review", "by": "ana", "reason": "as expected", "about": about}
    assert credit("registry", "review", "3", "--due", "soon") == 2


def test_where_two_have_to_agree_nobody_promotes_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promoted: list[str] = []
    passed = Promotion("m", "3", "production", True, [], {})

    def promote(version: str, *_: Any) -> Promotion:
        promoted.append(version)
        return passed

    monkeypatch.setattr(judging, "promote", promote)
    monkeypatch.setenv("AUDIT__FOUR_EYES", "true")
    assert credit("registry", "promote", "3", "--by", "ana") == 2
    assert credit("registry", "promote", "3", "--by", "ana", "--approved-by", "ana") == 2
    assert "name somebody other than ana with --approved-by" in capsys.readouterr().err
    assert promoted == []
    assert credit("registry", "promote", "3", "--by", "ana", "--approved-by", "ben") == 0
    assert credit("registry", "promote", "4", "--alias", "challenger", "--by", "ana") == 0
    assert promoted == ["3", "4"]


def test_nothing_is_moved_where_it_could_not_be_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved: list[str] = []

    def roll_back(alias: str, _: Any) -> tuple[str, str]:
        moved.append(alias)
        return "3", "2"

    monkeypatch.setattr(aliases, "roll_back", roll_back)
    monkeypatch.setenv("DATABASE_URI", "postgresql://credit@127.0.0.1:1/credit")
    assert credit("registry", "rollback") == 2
    assert moved == []
    monkeypatch.setenv("AUDIT__ENABLED", "false")
    assert credit("registry", "rollback") == 0


def test_what_cannot_be_done_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert credit("registry", "list") == 2
    assert capsys.readouterr().err.startswith("error: cannot list credit-default-model")


def test_an_image_without_the_trainings_packages_is_told_which_one_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (comparing.__name__, judging.__name__):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "app.training.data")
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert credit("registry", "compare", "1", "2") == 2
    assert capsys.readouterr().err.startswith("error: pandas is not installed: pip install '.[models]' brings it")
