import subprocess
from pathlib import Path

import pytest

from app.settings import Settings
from app.training import commit
from app.training.commit import code_commit


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit and a tag, in place of this project's."""
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--message", "one")
    git(tmp_path, "tag", "--annotate", "--message", "one", "v1")
    monkeypatch.setattr(commit, "ROOT", tmp_path)
    return tmp_path


def test_the_commit_that_is_checked_out_is_asked_for(checkout: Path) -> None:
    assert code_commit(Settings(git_commit="unknown")) == git(checkout, "rev-parse", "HEAD")


def test_changes_that_are_not_committed_show(checkout: Path) -> None:
    (checkout / "code.py").write_text("2\n")
    assert code_commit(Settings(git_commit="unknown")) == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_the_commit_of_the_settings_comes_first(checkout: Path) -> None:
    assert code_commit(Settings(git_commit="3f2c1e0")) == "3f2c1e0"


def test_without_a_checkout_it_stays_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "ROOT", tmp_path)
    assert code_commit(Settings(git_commit="unknown")) == "unknown"
