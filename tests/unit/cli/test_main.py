"""`credit` as a program of its own: what it says of itself, and its first lines when something is not there."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from app import __version__
from app.cli.main import main
from app.settings import WELL_KNOWN
from scripts.commands import commands, help_of
from scripts.credit import PROGRAM
from tests.support.commands import credit

DEAD = "http://127.0.0.1:9"


def run(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The real command, from a folder that holds nothing, with an empty registry there."""
    bare = {name: value for name, value in os.environ.items() if name not in WELL_KNOWN}
    environment = bare | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "SERVING__CACHE_DIR": str(folder / "models"),
        "AUDIT__JOURNAL_DIR": str(folder / "journal"),
        "DATABASE_URI": f"sqlite:///{folder / 'decisions.db'}",
    }
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_says_its_version(tmp_path: Path) -> None:
    ended = run(tmp_path, "--version")
    assert (ended.returncode, ended.stdout) == (0, f"credit {__version__}\n")


def test_without_a_command_it_lists_them_as_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert credit() == 2
    told = capsys.readouterr()
    assert "Usage: credit [OPTIONS] COMMAND" in told.out + told.err


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_that_is_not_cut(path: tuple[str, ...]) -> None:
    text = help_of(path)
    assert text.startswith(f"Usage: {' '.join(['credit', *path])}")
    assert "..." not in text.partition("\n")[2]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_it(shell: str, tmp_path: Path) -> None:
    ended = run(tmp_path, _CREDIT_COMPLETE=f"complete_{shell}", COMP_WORDS="credit re", COMP_CWORD="1",
                _TYPER_COMPLETE_ARGS="credit re", _TYPER_COMPLETE_FISH_ACTION="get-args")  # fmt: skip
    assert "registry" in ended.stdout


def test_a_broken_module_of_our_own_is_no_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.sys.modules, "app.callers.new_key", None)  # type: ignore[attr-defined]
    with pytest.raises(ModuleNotFoundError, match=r"app\.callers\.new_key"):
        main(["keys", "new", "branch-office", "--scope", "read"])


def first_line(ended: "subprocess.CompletedProcess[str]") -> str:
    assert "Traceback" not in ended.stderr
    return (ended.stderr or ended.stdout).splitlines()[0]


@pytest.mark.parametrize("command", [["serve"], ["batch", "--input", "x.csv", "--output", "out"], ["registry", "list"]])
def test_a_bad_model_uri_is_told_with_what_is_allowed(command: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path, *command, MODEL_URI="production")
    assert ended.returncode == 2
    assert first_line(ended) == (
        "error: setting mlflow.model_uri (environment: MODEL_URI) is 'production'; allowed: The model to serve: "
        "models:/name@alias, models:/name/version or runs:/run/path."
    )


def test_a_port_in_use_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(tmp_path, "serve", "--port", str(port))
    assert ended.returncode == 2
    assert first_line(ended) == (
        f"error: cannot listen on port {port} of 127.0.0.1: Address already in use; choose another --port or --host, "
        "or end what listens there"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["registry", "list"], ["registry", "rollback"], ["train"]])
def test_a_registry_that_is_away_is_told_with_what_to_look_at(command: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path, *command, MLFLOW_TRACKING_URI=DEAD)
    told = [line for line in ended.stderr.splitlines() if not line.startswith("[")]
    assert ended.returncode == 2
    assert told[0].startswith("error: cannot ")
    assert told[0].endswith("see that MLflow runs where MLFLOW_TRACKING_URI says")
    assert [line.partition(":")[0] for line in told] == ["error", "cause"]


def test_a_registry_file_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "none" / "mlflow.db"
    ended = run(tmp_path, "registry", "list", MLFLOW_TRACKING_URI=f"sqlite:///{file}")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"error: the registry's file {file} cannot be made: set MLFLOW_TRACKING_URI to a server, or to a file in a "
        "folder that can be written to\n",
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [(["registry", "list"], 2), (["registry", "pull", "models:/credit-default-model@production"], 5)],
)
def test_an_empty_registry_is_told_with_the_command_that_fills_it(
    command: list[str], code: int, tmp_path: Path
) -> None:
    ended = run(tmp_path, *command)
    assert ended.returncode == code
    assert first_line(ended).startswith("error: ")
    assert first_line(ended).endswith("; credit train makes the first")
    assert len(ended.stderr.splitlines()) == 1
