"""A callers' file with a mistake is refused with its place and what to do, and without what stands there."""

from pathlib import Path

import pytest

from app.callers.file import load_callers, parse_callers
from app.callers.known import Callers
from app.callers.new_key import entry_of
from app.errors import CallersInvalid, SettingInvalid
from app.settings import CallersSettings, Settings
from tests.support.fakes import caller

KEY = "cdk_one"
ENTRY = entry_of("branch-office", KEY, ["predict", "read"])
OTHER = entry_of("auditor", "cdk_two", ["read"])


def load(folder: Path, content: str | bytes) -> Callers | None:
    path = folder / "callers.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_callers(Settings(callers=CallersSettings(file=path)))


def test_what_the_command_prints_can_be_put_one_after_the_other(tmp_path: Path) -> None:
    expected = (caller("branch-office", KEY, "predict", "read"), caller("auditor", "cdk_two", "read"))
    assert load(tmp_path, ENTRY + OTHER) == Callers(expected)


def test_without_a_file_nobody_needs_a_key() -> None:
    assert load_callers(Settings()) is None


def test_an_empty_list_lets_nobody_ask(tmp_path: Path) -> None:
    assert load(tmp_path, "[]") == Callers(())


def test_one_name_may_have_several_keys_so_that_a_key_can_be_changed_without_a_pause(tmp_path: Path) -> None:
    callers = load(tmp_path, ENTRY + entry_of("branch-office", "cdk_new", ["predict"]))
    assert callers is not None
    assert {it.name for it in callers.known} == {"branch-office"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must be a list of entries with name, sha256 and scopes, [] when nobody may ask"),
        ("callers: []", "must be a list of entries"),
        (f"{ENTRY}- {KEY}\n", "entry 2 must have name, sha256 and scopes; credit keys new NAME"),
        (ENTRY.replace("branch-office", "Branch Office"), "entry 1: name must be 1 to 63 of a-z"),
        (ENTRY.replace('"branch-office"', "5"), "entry 1: name must be 1 to 63 of a-z"),
        (ENTRY.replace("branch-office", "b" * 64), "entry 1: name must be"),
        (OTHER + ENTRY.replace("name:", "nom:"), "entry 2: name must be 1 to 63"),
        (ENTRY.replace('sha256: "', f'sha256: "{KEY}'), "entry 1: sha256 must be the 64 lower-case hexadecimal digits"),
        (f"- name: a\n  sha256: {KEY}\n  scopes: [read]\n", "the key's SHA-256, not the key; credit keys"),
        (f"- name: a\n  sha256: {'A' * 64}\n  scopes: [read]\n", "entry 1: sha256 must be"),
        (f"- name: a\n  sha256: {'1' * 64}\n  scopes: [read]\n", "entry 1: sha256 must be"),
        (
            ENTRY.replace("read", "write"),
            "entry 1: scopes must be a list of predict, read, outcomes,",
        ),
        (ENTRY.replace("[predict, read]", "predict"), "entry 1: scopes must be a list"),
        (ENTRY.replace("[predict, read]", "[]"), "entry 1: scopes must be a list"),
        (f"{ENTRY}  key: {KEY}\n", "entry 1 has something beside name, sha256, scopes and per_minute; remove it"),
        (f"{ENTRY}  {KEY}: 1\n", "entry 1 has something beside"),
        (f"{ENTRY}  1: {KEY}\n", "entry 1 has something beside"),
        (ENTRY + OTHER + ENTRY.replace("branch", "back"), "entry 3: sha256 is that of entry 1; each needs a key"),
        (f"{ENTRY}  name: {KEY}\n", "is not YAML at line 4, column 3"),
        (f"{ENTRY}  [{KEY}]: 1\n", "is not YAML at line 4"),
        (f"- {KEY}: [", "is not YAML at line 1"),
        (f"- !!python/name:{KEY} x", "is not YAML at line 1"),
        (b"\xff\xfe\x00", "is not YAML"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_no_key(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(CallersInvalid) as refusal:
        load(tmp_path, content)
    assert str(refusal.value).startswith("callers callers.yaml")
    assert reason in str(refusal.value)
    assert KEY not in str(refusal.value)
    # A traceback would show the cause, which quotes the file.
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_two_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(CallersInvalid, match=r"entry 1: name must be.*; entry 2: scopes must be"):
        load(tmp_path, ENTRY.replace("name:", "nom:") + OTHER.replace("read", "all"))


def test_a_file_that_is_not_there_is_refused_like_a_bad_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"none\.yaml cannot be read: No such file"):
        load_callers(Settings(callers=CallersSettings(file=tmp_path / "none.yaml")))


def test_the_name_for_messages_is_the_files() -> None:
    with pytest.raises(CallersInvalid, match=r"^callers keys\.yaml: "):
        parse_callers(b"", "keys.yaml")


def test_a_key_may_have_a_limit() -> None:
    entry = f"- {{name: website, sha256: '{'a' * 64}', scopes: [predict], per_minute: 600}}\n"
    assert parse_callers(entry.encode(), "callers.yaml").known[0].per_minute == 600
    for value in ("0", "1.5", "many", "1000001"):
        with pytest.raises(CallersInvalid, match="per_minute must be a whole number from 1 to 1000000"):
            parse_callers(entry.replace("600", value).encode(), "callers.yaml")


def test_an_entry_that_is_made_with_a_limit_has_it() -> None:
    made = entry_of("website", "cdk_x", ["predict"], 60)
    assert parse_callers(made.encode(), "callers.yaml").known[0].per_minute == 60
