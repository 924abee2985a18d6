import subprocess

import pytest
import yaml

from app.callers.file import parse_callers
from app.callers.new_key import PREFIX, RANDOM_BYTES
from app.settings import ROOT
from scripts.credit import PROGRAM
from tests.support.commands import credit


def new(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """The key and the entry that the command makes."""
    assert credit("keys", "new", *arguments) == 0
    told = capsys.readouterr()
    return told.err.split()[-1], told.out


def test_the_key_opens_what_the_entry_says(capsys: pytest.CaptureFixture[str]) -> None:
    key, entry = new(capsys, "branch-office", "--scope", "predict", "--scope", "read")
    found = parse_callers(entry.encode(), "callers.yaml").find(key.encode())
    assert found is not None
    assert (found.name, sorted(found.scopes)) == ("branch-office", ["predict", "read"])


def test_the_key_is_long_random_and_not_in_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    made = [new(capsys, "branch-office", "--scope", "predict") for _ in range(20)]
    keys = {key for key, _ in made}
    assert len(keys) == 20
    # Six bits a character.
    assert all(key.startswith(PREFIX) and len(key) - len(PREFIX) >= RANDOM_BYTES * 8 / 6 for key in keys)
    assert not [key for key, entry in made if key in entry]


def test_a_scope_given_twice_counts_once(capsys: pytest.CaptureFixture[str]) -> None:
    _, entry = new(capsys, "branch-office", "--scope", "read", "--scope", "read")
    assert yaml.safe_load(entry)[0]["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["new", "Branch Office", "--scope", "read"], "must be 1 to 63 of a-z"),
        (["new", "branch-office"], "--scope"),
        (["new", "branch-office", "--scope", "write"], "'write' is not one of predict, read"),
        (["old"], "No such command 'old'"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed_and_makes_no_key(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = credit("keys", *arguments)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert reason in told.err
    assert PREFIX not in told.err


def test_the_command_runs_as_the_readme_says() -> None:
    command = [PROGRAM, "keys", "new", "branch-office", "--scope", "predict"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert parse_callers(ended.stdout.encode(), "callers.yaml").known[0].name == "branch-office"
