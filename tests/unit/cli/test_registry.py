import json
import sys
from math import nan
from pathlib import Path

import pytest

from app.promotion import comparing, judging
from app.promotion.judging import Promotion
from app.registry import aliases
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
    assert capsys.readouterr().err.startswith("error: pandas is not installed: pip install '.[train]' brings it")
