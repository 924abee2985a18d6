"""With audit.durability disk no answer leaves before its decision is on the disk; one write serves all that wait."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from app.audit.journal.writer import Journal
from app.errors import JournalFailed
from app.serving.record.durability import Durability
from app.settings import AuditSettings, Settings
from tests.support.fakes import Api, constant_model
from tests.support.journals import keys
from tests.support.records import ROW, decisions
from tests.support.wire import exchange, post

ONE = b'{"data": {"features": [0, 0.31, 52, 0, 0.36, 5400, 8, 0, 1, 0, 1]}}'
MANY = {"data": {"rows": [[0, *ROW]] * 3}}


class Disk:
    """What has been brought to the disk: the size of each file when it was last synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: dict[int, int] = {}
        self.writes = 0
        self.go = threading.Event()
        self.go.set()
        self.fails = False
        self.fails_once = False
        real = os.fdatasync

        def fdatasync(descriptor: int) -> None:
            self.go.wait(60)
            if self.fails or self.fails_once:
                self.fails_once = False
                raise OSError(5, "Input/output error")
            found = os.fstat(descriptor)
            real(descriptor)
            self.sizes[found.st_ino] = found.st_size
            self.writes += 1

        monkeypatch.setattr(os, "fdatasync", fdatasync)

    def has_all(self, journal: Path) -> bool:
        return all(self.sizes.get(it.stat().st_ino) == it.stat().st_size for it in journal.glob("*/*.jsonl"))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def api_of(journal: Path, **audit: Any) -> Api:
    settings = Settings(audit=AuditSettings(journal_dir=journal, **audit))
    return Api(constant_model(0.1), settings=settings, recorded=True)


@pytest.mark.parametrize("fast", [True, False])
def test_an_answer_waits_for_the_disk_whichever_way_it_goes(tmp_path: Path, disk: Disk, fast: bool) -> None:
    api = api_of(tmp_path, durability="disk")
    if fast:
        whole = post("/predict", ONE, [("Content-Type", "application/json")])
        assert exchange(api.app, api.edge, whole).startswith(b"HTTP/1.1 200 ")
    else:
        assert api.post("/predict/batch", MANY).status_code == 200
    assert disk.writes == 1
    assert disk.has_all(tmp_path)


def test_nobody_waits_for_the_disk_by_default(tmp_path: Path, disk: Disk) -> None:
    assert api_of(tmp_path).post("/predict/batch", MANY).status_code == 200
    assert disk.writes == 0


def test_one_write_serves_all_that_wait(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path, 1_000_000, to_disk=True)
    durability = Durability(journal)

    async def many() -> None:
        disk.go.clear()
        waiting = []
        for entry in decisions(50):
            journal.append([entry])
            waiting.append(asyncio.create_task(durability.wait()))
            await asyncio.sleep(0)
        disk.go.set()
        await asyncio.gather(*waiting)

    asyncio.run(many())
    assert disk.writes == 2
    assert disk.has_all(tmp_path)
    journal.close()


def test_files_that_are_full_are_brought_to_the_disk_with_the_last(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path, 1_000_000, file_bytes=2_000, to_disk=True)
    for entry in decisions(20):
        journal.append([entry])
    journal.sync()()
    assert disk.writes > 2
    assert disk.has_all(tmp_path)
    journal.close()


@pytest.mark.parametrize(("on_failure", "status"), [("refuse", 503), ("serve", 200)])
def test_a_disk_that_fails_is_a_decision_that_cannot_be_kept(
    tmp_path: Path, disk: Disk, on_failure: str, status: int
) -> None:
    api = api_of(tmp_path, durability="disk", on_failure=on_failure)
    disk.fails = True
    assert api.post("/predict/batch", MANY).status_code == status
    disk.fails = False
    assert api.post("/predict/batch", MANY).status_code == 200
    assert len(keys(tmp_path, "decision")) == 6


def test_a_sync_that_fails_names_the_journal(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path, 1_000_000, to_disk=True)
    journal.sync()()
    journal.append(decisions(1))
    disk.fails = True
    with pytest.raises(JournalFailed, match="Input/output error; see to its disk"):
        journal.sync()()
    journal.close()


def test_after_a_failure_nobody_who_waited_is_told_that_the_disk_has_it(tmp_path: Path, disk: Disk) -> None:
    """A kernel drops the pages that it could not write, and says so once: the next sync of that file is content."""
    journal = Journal(tmp_path, 1_000_000, to_disk=True)
    durability = Durability(journal)

    async def many() -> list[None | BaseException]:
        waiting = []
        disk.go.clear()
        disk.fails_once = True
        for entry in decisions(5):
            journal.append([entry])
            waiting.append(asyncio.create_task(durability.wait()))
            await asyncio.sleep(0)
        disk.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(it) for it in asyncio.run(many())] == [JournalFailed] * 5
    spoiled = journal.writer
    journal.append(decisions(1))
    assert journal.writer != spoiled
    asyncio.run(durability.wait())
    journal.close()


def test_what_a_chain_held_before_it_was_left_is_brought_to_the_disk_too(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, 1_000_000, to_disk=True)
    journal.append(decisions(1))
    real, left = os.write, [10]

    def half(descriptor: int, data: memoryview) -> int:
        if not left:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[: left.pop()])

    with monkeypatch.context() as full:
        full.setattr(os, "write", half)
        with pytest.raises(JournalFailed, match="No space left"):
            journal.append(decisions(1))
    asyncio.run(Durability(journal).wait())
    assert disk.has_all(tmp_path)
    journal.close()
