"""`credit audit`, as somebody types it."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import text

from app.audit.chain import Entry
from app.audit.commands import registered as models
from app.audit.store.repository import Store
from app.cli.record import moment
from app.scoring.decider import Decider
from tests.support.commands import credit
from tests.support.fakes import constant_model
from tests.support.records import (
    KEY,
    NOON,
    ROW,
    SECOND,
    SIGNER,
    challenged,
    decided,
    decisions,
    identifier,
    linked,
    policy_entry,
    policy_of_tests,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over the store; gives exit code, stdout and stderr."""
    monkeypatch.setenv("AUDIT__JOURNAL_DIR", str(tmp_path / "journal"))
    monkeypatch.setenv("AUDIT__TRUSTED_KEYS", json.dumps([SIGNER.public]))
    monkeypatch.setenv("DATABASE_URI", store.engine.url.render_as_string(hide_password=False))
    if store.engine.url.get_backend_name() == "sqlite":
        path = str(store.engine.url.database).removeprefix("file:")
        monkeypatch.setenv("DATABASE_URI", f"sqlite:///{path}")
    monkeypatch.setattr(models, "registered", lambda _: lambda __: constant_model(0.1))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = credit("audit", *arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def filled(store: Store) -> list[Entry]:
    entries = decisions(6)
    store.insert(linked([policy_entry(), *entries, challenged(entries[2], 0.04)]), SIGNER)
    return entries


def test_a_whole_record_is_ok_and_a_changed_one_is_exit_code_1(store: Store, run: Run, tmp_path: Path) -> None:
    filled(store)
    code, heads, _ = run("heads")
    (tmp_path / "heads.json").write_text(heads)
    assert code == 0
    assert run("verify") == (0, "OK: 8 links of 1 writers, 1 signed ends\n", "")
    assert (
        run("verify", "--heads", str(tmp_path / "heads.json"))[1]
        == "OK: 8 links of 1 writers, 1 signed ends, 1 heads\n"
    )
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET content = content || ' ' WHERE sequence = 3"))
    code, told, _ = run("verify", "--json")
    assert code == 1
    assert json.loads(told)["first"][0]["sequence"] == 3


def test_replay_is_exit_code_0_when_nothing_differs_and_1_otherwise(store: Store, run: Run) -> None:
    entries = filled(store)
    assert run("replay", "--since", "2026-09-01")[1].startswith("OK: 6 decisions recomputed, 0 differ")
    assert run("replay", entries[0].key)[0] == 0
    other = decided(Decider(constant_model(0.2), policy_of_tests()), at=NOON - SECOND)
    store.insert(linked([other]))
    code, told, _ = run("replay", other.key, "--json")
    assert code == 1
    assert json.loads(told)["largest_difference"] == pytest.approx(0.1)


def test_a_decision_is_shown_to_people_and_to_programs(store: Store, run: Run) -> None:
    entries = filled(store)
    code, told, _ = run("show", entries[2].key.upper())
    assert code == 0
    assert f"decision    {entries[2].key}" in told
    assert "REJECT, probability of default 0.1" in told
    assert "challenger  models:/credit-default-model/1: probability 0.04" in told
    shown = json.loads(run("show", entries[2].key, "--json")[1])
    assert (shown["features"], shown["challenger"]["probability"]) == (entries[2].fields["features"], 0.04)


def test_decisions_are_found_by_what_is_known_of_them(store: Store, run: Run) -> None:
    decider = Decider(constant_model(0.1), policy_of_tests())
    entries = [decided(decider, at=NOON + at * SECOND, application_id=f"A-{at % 2}") for at in range(5)]
    accepted = decided(Decider(constant_model(0.01), policy_of_tests()), at=NOON + 9 * SECOND, application_id="A-0")
    store.insert(linked([policy_entry(), *entries, accepted]))

    def found(*criteria: str) -> list[str]:
        told = json.loads(run("find", *criteria, "--json")[1])
        return [it["key"] for it in told["decisions"]]

    newest = [it.key for it in reversed([*entries, accepted])]
    assert found() == newest
    assert found("--application", "A-1") == [entries[3].key, entries[1].key]
    assert found("--application", "A-0", "--verdict", "ACCEPT") == [accepted.key]
    assert found("--request", "r-1", "--verdict", "REJECT") == newest[1:]
    assert found("--caller", "branch-12") == []
    assert found("--since", "2026-09-21T14:13:23+00:00", "--until", "2026-09-21T14:13:25+00:00") == newest[1:3]
    code, told, _ = run("find", "--size", "4")
    assert code == 0
    *lines, more = told.splitlines()
    assert len(lines) == 4
    assert f"{accepted.key}  ACCEPT  0.0100  application A-0, caller -, request r-1" in lines[0]
    assert found(*more.removeprefix("more with ").split()) == newest[4:]
    assert run("find", "--application", "A-7")[1] == "no decision is like that\n"
    assert run("find", "--cursor", "x")[0] == 2


def test_a_decision_is_proven_to_somebody_without_the_record(
    store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("checkpoint")[0] == 2
    assert "setting audit.checkpoints" in run("prove", identifier(NOON))[2]
    monkeypatch.setenv("AUDIT__CHECKPOINTS", str(tmp_path / "kept"))
    (tmp_path / "signing.key").write_bytes(KEY)
    monkeypatch.setenv("AUDIT__SIGNING_KEY_FILE", str(tmp_path / "signing.key"))
    entries = filled(store)
    code, told, _ = run("checkpoint")
    assert code == 0
    assert ".full.json: 8 links since the one before, ends of 1 chains, root " in told
    assert "1 signed ends, 1 checkpoints" in run("verify")[1]
    code, proof, _ = run("prove", entries[3].key.upper())
    assert code == 0
    (tmp_path / "proof.json").write_text(proof)
    public = run("keys")[1].strip()
    assert public == SIGNER.public
    monkeypatch.setenv("DATABASE_URI", "sqlite:////nowhere/decisions.db")
    monkeypatch.delenv("AUDIT__SIGNING_KEY_FILE")
    code, told, _ = run("check", str(tmp_path / "proof.json"), "--key", public)
    assert (code, told.startswith(f"OK: {entries[3].key}, REJECT at 2026-09-21T")) == (0, True)
    assert run("check", str(tmp_path / "proof.json"), "--key", "0" * 64)[0] == 2
    assert "cannot be read" in run("check", str(tmp_path / "none.json"))[2]


@pytest.mark.parametrize("key", ["01a0c450-6c00-7000-80b6-5093f2a50944", "nonsense"])
def test_a_decision_that_is_not_there_is_told(run: Run, key: str) -> None:
    for command in ("show", "replay"):
        code, _, told = run(command, key)
        assert (code, told) == (2, f"error: the database holds no decision {key}; it may be in the journal still\n")


def test_another_threshold_is_simulated_with_the_rules_of_the_policy(store: Store, run: Run) -> None:
    decider = Decider(constant_model(0.06), policy_of_tests())
    ages = (17.0, 30.0, 40.0)
    rejected = [decided(decider, [ROW[0], age, *ROW[2:]], NOON + at * SECOND) for at, age in enumerate(ages)]
    accepted = decided(Decider(constant_model(0.01), policy_of_tests()), at=NOON + 9 * SECOND)
    store.insert(linked([policy_entry(), *rejected, accepted]))
    code, told, _ = run("simulate", "--threshold", "0.08", "--ids", "1")
    assert code == 0
    assert told.splitlines() == [
        "4 decisions at a threshold of 0.08",
        "approved then  1 (25.00%)",
        "approved now   3 (75.00%)",
        "ACCEPT then, REJECT now: 0",
        "REJECT then, ACCEPT now: 2",
        f"  {rejected[1].key}",
        "  and 1 more",
    ]
    assert json.loads(run("simulate", "--threshold", "0.005", "--json")[1])["swaps"][0]["ids"] == [accepted.key]


def test_decisions_are_exported_alike_to_both_formats(store: Store, run: Run, tmp_path: Path) -> None:
    entries = filled(store)
    for name in ("x.csv", "x.parquet"):
        code, told, _ = run("export", "--output", str(tmp_path / name))
        assert (code, told) == (0, f"6 decisions are in {tmp_path / name}\n")
    with (tmp_path / "x.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    from_parquet: list[dict[str, Any]] = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    assert [it["id"] for it in from_csv] == [it.key for it in entries] == [it["id"] for it in from_parquet]
    assert [float(it["age"]) for it in from_csv] == [it["age"] for it in from_parquet]
    assert [it["challenger_probability"] for it in from_parquet] == [None, None, 0.04, None, None, None]
    assert from_csv[2]["challenger_probability"] == "0.04"
    recorded = entries[0].fields["probability"]
    assert float(from_csv[0]["probability"]) == from_parquet[0]["probability"] == recorded
    assert sorted(it.name for it in tmp_path.glob("x.*")) == ["x.csv", "x.parquet"]


def test_an_export_that_cannot_be_done_says_why(
    store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    assert "must end with .parquet or .csv" in run("export", "--output", "x.xls")[2]
    assert "No such file" in run("export", "--output", str(tmp_path / "none" / "x.csv"))[2]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs pyarrow" in run("export", "--output", str(tmp_path / "x.parquet"))[2]


def test_retention_and_migration_say_what_they_did(run: Run) -> None:
    assert "took 0 links" in run("retain")[1]
    assert "has the tables of this release" in run("migrate")[1]


def test_a_database_that_is_away_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URI", f"sqlite:///{tmp_path / 'none.db'}")
    assert credit("audit", "verify") == 2
    assert capsys.readouterr().err.startswith(f"error: the record cannot be read: SQLite file {tmp_path / 'none.db'}:")
    assert not (tmp_path / "none.db").exists()


def test_times_are_utc_unless_they_say_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert moment("2026-09-21T14:13:20") == moment("2026-09-21T14:13:20Z") == moment("2026-09-21T16:13:20+02:00")
    assert moment("2026-09-01") == 1_788_220_800_000_000
    assert credit("audit", "verify", "--from", "yesterday") == 2
    assert "'yesterday' is no time such as 2026-01-31" in capsys.readouterr().err


@pytest.mark.parametrize("threshold", ["0", "1", "nan", "high"])
def test_a_threshold_that_is_no_probability_is_refused(threshold: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert credit("audit", "simulate", "--threshold", threshold) == 2
    assert f"Invalid value for '--threshold': {threshold}" in capsys.readouterr().err.replace("'high'", "high")
