"""The same code in another process, wherever that starts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import ModelMissing, ModelRefused, ModelUnavailable, SettingInvalid
from app.exits import PULL_CODES, PULL_FAILED, code_of_pull, error_of_pull, tell
from app.processes import calling, enter
from app.settings import ROOT

FAILING = '"""Of a test."""\n\nfrom app.errors import CreditError\n\ndef fail(why):\n    raise CreditError(why)\n'


def run(*command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_copy_of_the_code_that_asks_is_the_one_that_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "copy" / "app", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "copy" / "app" / "failing.py").write_text(FAILING)
    # A package of the same name where the process starts is somebody else's.
    (tmp_path / "elsewhere" / "app").mkdir(parents=True)
    (tmp_path / "elsewhere" / "app" / "__init__.py").write_text("raise SystemExit(99)")
    asking = (
        "import sys; sys.path.insert(0, sys.argv[1]); from app.processes import calling\n"
        "print(*calling('app.failing:fail', 'so'), sep='\\0', end='')"
    )
    asked = run(sys.executable, "-P", "-c", asking, str(tmp_path / "copy"), cwd=tmp_path)
    ended = run(*asked.stdout.split("\0"), cwd=tmp_path / "elsewhere")
    assert (ended.returncode, ended.stderr) == (2, "error: so\n")


def test_an_error_that_is_not_ours_has_its_traceback(tmp_path: Path) -> None:
    ended = run(*calling("app.times:no_such_function"), cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback")


@pytest.mark.parametrize(
    ("package", "extra"), [("skops.io", "models"), ("xgboost", "boosting"), ("pyarrow.parquet", "train")]
)
def test_a_package_that_is_missing_is_told_with_the_extra_that_brings_it(
    package: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (package, package.partition(".")[0]):
        monkeypatch.setitem(sys.modules, name, None)
    assert enter([f"{package}:anything"]) == 2
    told = f"error: {package.partition('.')[0]} is not installed: pip install '.[{extra}]' brings it, and the image"
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("kind", PULL_CODES)
def test_the_server_understands_how_a_pull_ended(kind: type[ModelUnavailable]) -> None:
    assert error_of_pull(code_of_pull(kind("why"))) is kind


def test_an_error_without_a_code_of_its_own_is_a_failed_pull() -> None:
    assert code_of_pull(SettingInvalid("why")) == PULL_FAILED
    assert PULL_CODES == {ModelMissing: 5, ModelUnavailable: 3, ModelRefused: 4}


def test_only_a_registry_that_does_not_answer_has_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in (ModelUnavailable, ModelMissing):
        error = kind("it is away")
        error.__cause__ = OSError("no route\nto host")
        tell(error)
    assert capsys.readouterr().err == "error: it is away\ncause: no route\nerror: it is away\n"
