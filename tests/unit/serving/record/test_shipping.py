"""The shipper is a child that is listened to, started again, and given time for the rest at the end."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from app.audit.chain import Entry
from app.audit.journal.layout import unshipped_bytes
from app.audit.journal.writer import Journal
from app.metrics import Metrics
from app.serving.record import shipping as module
from app.serving.record.shipping import Shipping
from app.settings import AuditSettings, Settings
from harness.waiting import PATIENCE_SECONDS, wait_until

NOWHERE = Path("/nowhere/journal")

REPORT = """
import json, os, sys, time
def report(pending, lag=0.0, error=None):
    print(json.dumps({"pending": pending, "lag_seconds": lag, "shipped": 0, "error": error}), flush=True)
"""
UNTIL_END = "\nsys.stdin.read()\n"


class World:
    """Shipping by a child that runs a script of the test's."""

    def __init__(self, script: str, journal: Path = NOWHERE) -> None:
        self.metrics = Metrics(0.05)
        command = (sys.executable, "-c", REPORT + script)
        self.shipping = Shipping(
            Settings(audit=AuditSettings(ship_seconds=0.1, journal_dir=journal)), self.metrics, command
        )

    def sample(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name) or 0.0

    @property
    def unknown(self) -> bool:
        """Whether nobody says how much waits, and since when."""
        return self.seen[0] == 0 and all(isnan(it) for it in self.seen[1:])

    @property
    def seen(self) -> tuple[float, float, float]:
        names = ("credit_shipper_up", "credit_journal_pending_records", "credit_audit_lag_seconds")
        up, pending, lag = (self.sample(name) for name in names)
        return up, pending, lag

    def run(self, then: Callable[[], Awaitable[None]]) -> None:
        """Ship until then is over, and stop."""

        async def both() -> None:
            shipping = asyncio.create_task(self.shipping.run())
            async with asyncio.timeout(2 * PATIENCE_SECONDS):
                await then()
            assert not shipping.done()
            shipping.cancel()
            await asyncio.wait([shipping])
            await self.shipping.stop()

        asyncio.run(both())

    def until(self, holds: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
        async def wait() -> None:
            await asyncio.to_thread(wait_until, holds, bool, PATIENCE_SECONDS, str(self.seen))

        return wait


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, Any]]:
    records = [it for it in caplog.records if it.name == "app.serving.record.shipping"]
    return [(it.levelname, it.message, vars(it).get("reason", vars(it).get("bytes"))) for it in records]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts again at once."""
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)


def test_its_reports_are_the_gauges(caplog: pytest.LogCaptureFixture) -> None:
    world = World("report(7, 2.5)" + UNTIL_END + "report(0)")
    world.run(world.until(lambda: world.seen == (1, 7, 2.5)))
    assert world.seen == (0, 0, 0)
    assert messages(caplog) == []


def test_a_change_of_its_error_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    script = "for _ in range(3): report(1, 1, 'the database is away')\nreport(0)\nreport(5)"
    world = World(script + UNTIL_END)
    with caplog.at_level(logging.INFO):
        world.run(world.until(lambda: world.seen[1] == 5))
    assert messages(caplog) == [
        ("WARNING", "records do not reach the database; they stay in the journal", "the database is away"),
        ("INFO", "records reach the database again", None),
    ]


def test_what_is_left_in_the_journal_at_the_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Journal(tmp_path, 10**9).append([Entry("decision", "a", 1, {})])
    world = World("report(1)" + UNTIL_END, tmp_path)
    world.run(world.until(lambda: world.seen[0] == 1))
    assert messages(caplog) == [
        ("WARNING", "records left in the journal, for the next server there", unshipped_bytes(tmp_path))
    ]


def test_one_that_has_only_just_been_started_ships_the_rest_all_the_same(tmp_path: Path) -> None:
    starts, done = tmp_path / "starts", tmp_path / "done"
    script = f"open({str(starts)!r}, 'w').close(); time.sleep(0.3)" + UNTIL_END + f"open({str(done)!r}, 'w').close()"
    world = World(script)
    world.run(world.until(starts.exists))
    assert done.exists()


@pytest.mark.usefixtures("quick")
def test_one_that_ends_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    starts = tmp_path / "starts"
    script = f"open({str(starts)!r}, 'a').write('x'); report(1)\nsys.stderr.write('error: no table\\n'); sys.exit(4)"
    world = World(script)
    world.run(world.until(lambda: len(starts.read_text()) > 2))
    assert messages(caplog)[0] == ("ERROR", "shipper ended", "no table")


def test_what_nobody_has_said_yet_is_unknown_and_not_zero() -> None:
    assert World("").unknown


@pytest.mark.usefixtures("quick")
def test_what_a_shipper_said_before_it_ended_is_unknown_until_the_next_speaks() -> None:
    world = World("report(7, 3.0); time.sleep(0.2); sys.exit(4)")

    async def ended() -> None:
        await world.until(lambda: world.seen == (1, 7, 3))()
        await world.until(lambda: world.unknown)()

    world.run(ended)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("class DriverError(Exception): ...\nraise DriverError('income 5400')", "DriverError"),
        ("sys.stderr.write('income 5400 ' * 100_000 + '\\n'); sys.exit(1)", "without a word"),
    ],
)
def test_what_it_says_when_it_dies_is_told_without_anything_that_it_quotes(
    script: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(script)
    world.run(world.until(lambda: messages(caplog)))
    assert messages(caplog)[0] == ("ERROR", "shipper ended", reason)
    assert "5400" not in caplog.text + str([vars(it) for it in caplog.records])


@pytest.mark.usefixtures("quick")
def test_a_command_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    world = World("")
    world.shipping._command = ("/nowhere/shipper",)
    world.run(world.until(lambda: len(messages(caplog)) > 1))
    assert messages(caplog)[0] == ("ERROR", "shipper cannot be started", "No such file or directory")


@pytest.mark.parametrize("line", ["Starting", "[]", '{"pending": null}'])
def test_a_line_that_is_no_report_changes_nothing(line: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World(f"print({line!r}, flush=True)\nreport(3)" + UNTIL_END + "report(0)")
    world.run(world.until(lambda: world.seen == (1, 3, 0)))
    assert messages(caplog)[0][:2] == ("ERROR", "the shipper's report cannot be read")


def test_a_line_without_end_does_not_end_the_listening() -> None:
    world = World("print('x' * 100_000, flush=True)\nreport(3)" + UNTIL_END)
    world.run(world.until(lambda: world.seen == (1, 3, 0)))


def test_one_that_says_nothing_is_not_up_until_it_speaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.2)
    go = tmp_path / "go"
    world = World(f"report(3)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nreport(2)\n")

    async def silent_then_not() -> None:
        await world.until(lambda: world.seen[:2] == (1, 3))()
        await world.until(lambda: world.unknown)()
        go.touch()
        await world.until(lambda: world.sample("credit_journal_pending_records") == 2)()

    world.run(silent_then_not)


def test_at_the_end_it_may_ship_the_rest(tmp_path: Path) -> None:
    done = tmp_path / "done"
    script = "report(9)" + UNTIL_END + f"time.sleep(0.3); open({str(done)!r}, 'w').write('x'); report(0)"
    world = World(script)
    world.run(world.until(lambda: world.seen[1] == 9))
    assert (done.exists(), world.seen[1]) == (True, 0)


def test_one_that_does_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    world = World("report(os.getpid())\nwhile True: time.sleep(1)")
    world.run(world.until(lambda: world.seen[0] == 1))
    pid = int(world.sample("credit_journal_pending_records"))
    assert not Path(f"/proc/{pid}").exists()
    assert messages(caplog)[0] == ("WARNING", "shipper killed, because it did not end in time", None)


def test_it_hears_when_its_server_dies_and_not_when_the_terminal_interrupts(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"report(7)\nsys.stdin.read()\nopen({str(seen)!r}, 'w').write('closed')"
    world = World(script)

    async def closed() -> None:
        await world.until(lambda: world.seen[0] == 1)()
        child = world.shipping._child
        assert child is not None
        assert child.stdin is not None
        child.stdin.close()
        await world.until(lambda: seen.exists() and seen.read_text())()

    world.run(closed)
    assert seen.read_text() == "closed"


def test_at_the_stop_the_rest_gets_an_attempt_of_its_own_where_the_shipper_is_down(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", 1_000_000)
    journal.append([Entry("policy", "p", 1, {})])
    journal.close()
    started = tmp_path / "started"
    script = f"open({str(started)!r}, 'a').write('x')\nif os.path.getsize({str(started)!r}) > 1: report(0)\n"
    world = World(script, tmp_path / "journal")
    # The first has ended, and the pause before the next begins.
    world.run(world.until(lambda: (it := world.shipping._listening) is not None and it.done()))
    assert started.read_text() == "xx"
