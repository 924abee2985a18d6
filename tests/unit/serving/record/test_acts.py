"""What a server takes up by itself is in the record beside what people did: other keys, and another model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audit.commands.history import history
from app.audit.journal.writer import Journal
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.callers.file import load_callers
from app.callers.new_key import entry_of
from app.metrics import Metrics
from app.policy_file import load_policy
from app.serving.live.admission import Admission, CallersWatch
from app.serving.live.holder import Holder
from app.serving.record.recorder import Recorder
from app.settings import CallersSettings, Settings
from app.times import Month, microseconds_now
from tests.support.fakes import constant_model
from tests.support.journals import chains
from tests.support.records import SIGNER

FIRST = entry_of("branch", "cdk_first", ["predict"])
SECOND = entry_of("auditor", "cdk_second", ["read", "predict"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{tmp_path / 'decisions.db'}", create=True)
    migrate(engine, Month.of(microseconds_now()))
    yield Store(engine)
    engine.dispose()


def recorded(folder: Path, store: Store) -> list[str]:
    """The lines of `credit audit history`, without their times."""
    for links in chains(folder).values():
        store.insert(links, SIGNER)
    return [line.partition("  ")[2] for line in str(history(store, None, None)).splitlines()]


def recorder_in(folder: Path) -> Recorder:
    return Recorder(Journal(folder, 1_000_000), "refuse", Metrics(0.05), {})


def test_keys_that_come_and_go_are_kept_and_the_keys_themselves_are_not(tmp_path: Path, store: Store) -> None:
    file, journal = tmp_path / "callers.yaml", tmp_path / "journal"
    file.write_text(FIRST)
    callers = load_callers(Settings(callers=CallersSettings(file=file)))
    admission = Admission(callers, Metrics(0.05), str(file), recorder_in(journal).keep_act)
    admission.tell_all()
    file.write_text(SECOND)
    watch = CallersWatch(file, admission, 5)
    asyncio.run(watch.step())
    asyncio.run(watch.step())
    first, second = (entry.split('sha256: "')[1][:8] for entry in (FIRST, SECOND))
    assert recorded(journal, store) == [
        f"api_keys    added branch (predict) {first}; by credit serve: no reason given",
        f"api_keys    added auditor (predict+read) {second}, removed branch (predict) {first}; by credit serve:"
        " no reason given",
    ]
    assert "cdk_" not in str(chains(journal))


def test_a_model_that_takes_the_place_of_another_is_kept_whoever_moved_the_alias(tmp_path: Path, store: Store) -> None:
    settings = Settings()
    journal = tmp_path / "journal"
    held = Holder(settings, load_policy(settings), Metrics(0.05), replaced=recorder_in(journal).keep_act)
    held.take(constant_model(0.3, "7"))
    assert not journal.exists()
    held.take(constant_model(0.2, "8"))
    (line,) = recorded(journal, store)
    assert line.startswith("model       before models:/credit-default-model/7, name credit-default-model, version 8")
