"""Lets a child process bring the journal to the database, so that nothing it needs is loaded where answers are made."""

import asyncio
import json
import logging
import re
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from math import nan

from app.audit.journal.layout import unshipped_bytes
from app.metrics import Metrics
from app.processes import calling
from app.serving.live.follower import jittered
from app.settings import Settings

COMMAND = calling("app.audit.shipping.process:ship")

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SILENT_SECONDS = 60.0
"""Without a word for that long beyond its pauses, the shipper does not count as up."""

STOP_SECONDS = 10.0
"""For shipping the rest at a stop."""

# A traceback may quote what a statement held: only the name of the error is told.
ERROR = re.compile(r"^([\w.]+(?:Error|Exception|Interrupt))\b")

log = logging.getLogger(__name__)


class Shipping:
    """The shipper, started again whenever it ends. `run` until it is cancelled, then `stop`.

    The child ends by itself when this process dies, because that closes its standard input.
    """

    def __init__(self, settings: Settings, metrics: Metrics, command: Sequence[str] = COMMAND) -> None:
        self._journal_dir = settings.audit.journal_dir
        self._silent_seconds = SILENT_SECONDS + settings.audit.ship_seconds
        self._metrics = metrics
        self._command = command
        self._child: Process | None = None
        self._listening: asyncio.Task[str | None] | None = None
        self._error: str | None = None
        self._failures = 0
        if settings.audit.enabled:
            self._set_unknown()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._run_child()
            except OSError as error:
                log.error("shipper cannot be started", extra={"reason": error.strerror or str(error)})
            await asyncio.sleep(jittered(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._failures)))
            self._failures = min(self._failures + 1, 10)

    async def stop(self) -> None:
        """Let it ship the rest, now that the journal is closed; it is killed when that takes too long."""
        ended = self._listening is None or self._listening.done()
        waiting = await asyncio.to_thread(unshipped_bytes, self._journal_dir)
        if ended and waiting:
            # Between two attempts: the rest is worth one of its own.
            await self._start()
        if self._child is not None and self._listening is not None:
            await self._end(self._child, self._listening)
        if left := await asyncio.to_thread(unshipped_bytes, self._journal_dir):
            log.warning("records left in the journal, for the next server there", extra={"bytes": left})

    async def _end(self, child: Process, listening: asyncio.Task[str | None]) -> None:
        # Not by a signal, which would kill a child that has only just been started.
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await listening
        except TimeoutError:
            log.warning("shipper killed, because it did not end in time")
            child.kill()
            await child.wait()

    async def _start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        self._listening = asyncio.create_task(self._listen(self._child))

    async def _run_child(self) -> None:
        await self._start()
        assert self._child is not None
        assert self._listening is not None
        # Listening outlives a cancelled run: the child's last report comes while it is stopped.
        reason = await asyncio.shield(self._listening)
        self._set_unknown()
        log.error("shipper ended", extra={"code": self._child.returncode, "reason": reason or "without a word"})

    async def _listen(self, child: Process) -> str | None:
        """Until the child has ended; gives the reason that it told."""
        _, reason = await asyncio.gather(self._read_reports(child), _read_reason(child))
        await child.wait()
        self._metrics.shipper_up.set(0)
        return reason

    async def _read_reports(self, child: Process) -> None:
        assert child.stdout is not None
        while True:
            try:
                async with asyncio.timeout(self._silent_seconds):
                    line = await _line(child.stdout)
            except TimeoutError:
                self._set_unknown()
                continue
            if not line:
                return
            self._take(line)

    def _set_unknown(self) -> None:
        """Nobody says how much waits in the journal, which is not to say that nothing does."""
        self._metrics.shipper_up.set(0)
        self._metrics.journal_pending.set(nan)
        self._metrics.audit_lag.set(nan)

    def _take(self, line: bytes) -> None:
        try:
            report = json.loads(line)
            pending, lag_seconds, error = int(report["pending"]), float(report["lag_seconds"]), report["error"]
        except (ValueError, KeyError, TypeError):
            log.error("the shipper's report cannot be read", extra={"bytes": len(line)})
            return
        self._metrics.journal_pending.set(pending)
        self._metrics.audit_lag.set(lag_seconds)
        self._metrics.shipper_up.set(1)
        self._failures = 0
        if error != self._error:
            self._error = error
            if error is None:
                log.info("records reach the database again")
            else:
                log.warning("records do not reach the database; they stay in the journal", extra={"reason": error})


async def _line(stream: StreamReader) -> bytes:
    """Empty at the end. A line longer than the reader's buffer is skipped, or all of it but its rest."""
    while True:
        try:
            return await stream.readline()
        except ValueError:
            continue


async def _read_reason(child: Process) -> str | None:
    assert child.stderr is not None
    reason = None
    while True:
        line = await _line(child.stderr)
        if not line:
            return reason
        text = line.decode(errors="replace").rstrip()
        if text.startswith("error: "):
            reason = text.removeprefix("error: ")
        elif named := ERROR.match(text):
            reason = named[1]
