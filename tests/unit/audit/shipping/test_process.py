"""The shipper as the process that it is: what it writes, and when it ends."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.audit.chain import Link
from app.audit.shipping.process import NICENESS, LowPriorityShipper
from app.audit.shipping.rounds import Shipper
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.settings import ROOT
from app.times import DAY
from harness.postgres import running_postgres
from harness.servers import audit_in
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.support.records import NOON, Writer, decisions


class Shipping:
    """`credit audit ship`, and the rounds that it has told of."""

    def __init__(self, journal: Path, uri: str) -> None:
        environment = os.environ | {
            "AUDIT__JOURNAL_DIR": str(journal),
            "DATABASE_URI": uri,
            "AUDIT__SHIP_SECONDS": "0.1",
        }
        self.process = subprocess.Popen(
            [PROGRAM, "audit", "ship"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.rounds: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.rounds.extend(json.loads(line) for line in self.process.stdout)

    def wait_for(self, **wanted: Any) -> dict[str, Any]:
        """Until a round says so."""
        return wait_until(
            lambda: self.rounds[-1],
            lambda it: all(it[name] == value for name, value in wanted.items()),
            PATIENCE_SECONDS,
        )

    def end(self) -> int:
        """Its exit code, once it has ended by itself."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return code

    def close(self) -> None:
        self.process.kill()
        self.end()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@contextmanager
def shipping(journal: Path, uri: str) -> Iterator[Shipping]:
    """Killed at the end unless it has ended before."""
    running = Shipping(journal, uri)
    try:
        yield running
    finally:
        running.close()


def stored(uri: str) -> int:
    engine = open_engine(uri)
    try:
        return Store(engine).count(None, None)
    finally:
        engine.dispose()


def test_it_makes_the_tables_ships_and_ships_the_rest_when_asked_to_end(tmp_path: Path, database_uri: str) -> None:
    writer = Writer(tmp_path / "journal")
    writer.write(decisions(3))
    with shipping(tmp_path / "journal", database_uri) as running:
        assert running.wait_for(shipped=3) == {"pending": 0, "lag_seconds": 0.0, "shipped": 3, "error": None}
        writer.write(decisions(3000))
        writer.die()
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 0
    assert stored(database_uri) == 3003
    assert not writer.folder.exists()


def niceness(pid: int) -> set[int]:
    """Of each thread of a process."""
    return {os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()}


def test_it_yields_to_its_server_and_is_no_business_of_the_terminals(tmp_path: Path) -> None:
    with shipping(tmp_path / "journal", f"sqlite:///{tmp_path / 'decisions.db'}") as running:
        running.wait_for(pending=0)
        child, own = running.process.pid, os.getpriority(os.PRIO_PROCESS, 0)
        assert niceness(child) == {own, min(19, own + NICENESS)}
        # In the session of its server, without which its niceness would not count, but in a group of its own.
        assert (os.getsid(child), os.getpgid(child)) == (os.getsid(0), child)


def test_it_yields_no_more_when_the_journal_fills(tmp_path: Path) -> None:
    seen = []

    class Target:
        def prepare(self) -> None:
            """Nothing to prepare."""

        def insert(self, links: list[Link]) -> None:
            seen.append((len(links), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))

    own = os.getpriority(os.PRIO_PROCESS, 0)
    writer = Writer(tmp_path / "journal")
    shipper = Shipper(tmp_path / "journal", Target())
    with LowPriorityShipper(shipper, audit_in(tmp_path, journal_megabytes=1)) as low_priority:
        writer.write(decisions(1))
        low_priority.round()
        writer.write(decisions(1000))
        low_priority.round()
        writer.write(decisions(1))
        low_priority.round()
    low = min(19, own + NICENESS)
    assert {priority for count, priority in seen if count == 1} == {low}
    assert {priority for count, priority in seen if count > 1} == {own}


def test_it_ends_when_its_parent_is_no_more(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'decisions.db'}"
    with shipping(tmp_path / "journal", uri) as running:
        running.wait_for(pending=0)
        Writer(tmp_path / "journal").write(decisions(5))
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.end() == 0
        assert running.rounds[-1]["pending"] == 0
    assert stored(uri) == 5


def test_nobody_who_reads_its_rounds_keeps_it_from_shipping(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'decisions.db'}"
    Writer(tmp_path / "journal").write(decisions(5))
    environment = os.environ | {"AUDIT__JOURNAL_DIR": str(tmp_path / "journal"), "DATABASE_URI": uri}
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        command = [PROGRAM, "audit", "ship"]
        ended = subprocess.run(command, cwd=ROOT, env=environment, input=b"", stdout=closed, check=False)
    assert ended.returncode == 0
    assert stored(uri) == 5


def test_it_gives_up_in_time_when_the_database_stays_away(tmp_path: Path) -> None:
    Writer(tmp_path / "journal").write(decisions(5))
    with shipping(tmp_path / "journal", "postgresql+psycopg2://a:secret@127.0.0.1:1/x") as running:
        told = running.wait_for(pending=5)
        assert "127.0.0.1:1" in told["error"]
        assert "secret" not in told["error"]
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 1
        assert running.rounds[-1]["pending"] == 5


def test_everything_arrives_after_postgres_was_stopped_and_started(tmp_path: Path) -> None:
    with running_postgres() as server:
        uri = server.new_database()
        writer = Writer(tmp_path / "journal")
        with shipping(tmp_path / "journal", uri) as running:
            for turn in range(3):
                writer.write(decisions(500))
                running.wait_for(shipped=1000 * turn + 500)
                server.stop()
                writer.write(decisions(500))
                away = running.wait_for(pending=500)
                assert wait_until(lambda: running.rounds[-1]["error"], lambda it: it is not None)
                assert away["shipped"] == 1000 * turn + 500
                server.start()
                running.wait_for(pending=0, error=None)
            running.process.send_signal(signal.SIGTERM)
            assert running.end() == 0
        assert stored(uri) == 3000
        engine = open_engine(uri)
        # Beside the shipper's own word on its key.
        spans = {it.writer: it for it in Store(engine).spans()}
        assert len(spans) == 2
        span = spans[writer.chain.writer]
        assert (span.first, span.last, span.links) == (1, 3000, 3000)
        engine.dispose()


def test_a_database_file_that_was_deleted_is_made_again_and_takes_what_follows(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal")
    writer.write(decisions(2))
    file = tmp_path / "decisions.db"
    with shipping(tmp_path / "journal", f"sqlite:///{file}") as running:
        running.wait_for(shipped=2)
        for left in tmp_path.glob("decisions.db*"):
            left.unlink()
        following = writer.write(decisions(3, NOON + DAY))
        running.wait_for(shipped=5)
    kept = Store(open_engine(f"sqlite:///{file}"))
    assert [it.key for it in kept.decisions(None, None)] == [it.key for it in following]
