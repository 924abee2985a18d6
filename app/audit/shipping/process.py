"""`credit audit ship`: a process beside the server, which ends soon after it."""

import json
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from time import monotonic, sleep, time
from typing import Self

from app.audit.chain import Link
from app.audit.journal.writer import unshipped_bytes
from app.audit.shipping.shipper import Round, Shipper
from app.audit.shipping.stopping import Stop, stopping
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.settings import AuditSettings, load_settings
from app.times import Month

END_SECONDS = 9.0
"""From being asked to end, until the process has ended whatever the database does; its parent kills it after 10."""

LAST_ATTEMPT_SECONDS = 0.5
"""Between the attempts of that time."""

NICENESS = 10
"""Where answers and the record want the same core, the answers get most of it: the record waits in the journal..."""

GENTLE_SHARE = 0.25
"""... as long as it holds less than this share of what it may; then the answers have to wait for their turns."""

STATEMENT_SECONDS = 30.0
"""For one batch; a database that takes longer is as good as away."""


@dataclass(frozen=True, slots=True)
class Database:
    """The shipper's target."""

    store: Store

    def prepare(self) -> None:
        # alembic is not needed afterwards, nor where nothing is shipped.
        from app.audit.store.schema.migrating import migrate

        migrate(self.store.engine, Month.of(int(time() * 1_000_000)))

    def insert(self, links: list[Link]) -> None:
        self.store.insert(links)


def ship() -> int:
    """Until SIGTERM or the end of standard input; gives the exit code: 0 when nothing is left to ship.

    Raises SettingInvalid.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # An interrupt from the terminal is for the server, which stops this process in its turn. No session of its own:
    # Linux shares a core between sessions whatever their niceness.
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    audit = load_settings().audit
    engine = open_engine(audit.database_uri, connections=1, statement_seconds=STATEMENT_SECONDS, create=True)
    shipper = Shipper(audit.journal_dir, Database(Store(engine)))
    with stopping() as stop:
        try:
            return _rounds(shipper, stop, audit)
        except BrokenPipeError:
            # Who read the rounds is gone, and the flush at exit would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _rest(shipper, audit.ship_seconds, silent=True)


class Gears:
    """Lets a shipper yield to whoever wants the same core, but not when the journal fills."""

    def __init__(self, shipper: Shipper, audit: AuditSettings) -> None:
        self._shipper = shipper
        self._audit = audit
        # Niceness is a thread's, and no thread gets back what it gave.
        self._gentle = ThreadPoolExecutor(1, initializer=lambda: os.nice(NICENESS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gentle.shutdown()

    def round(self) -> Round:
        """As the shipper's, of audit.ship_seconds."""
        seconds = self._audit.ship_seconds
        if unshipped_bytes(self._audit.journal_dir) < GENTLE_SHARE * self._audit.journal_bytes:
            return self._gentle.submit(self._shipper.round, seconds).result()
        return self._shipper.round(seconds)


def _rounds(shipper: Shipper, stop: Stop, audit: AuditSettings) -> int:
    with Gears(shipper, audit) as gears:
        while not stop.asked():
            _tell(gears.round())
            if not shipper.behind:
                stop.wait(audit.ship_seconds)
    return _rest(shipper, audit.ship_seconds)


def _rest(shipper: Shipper, seconds: float, silent: bool = False) -> int:
    # What the database has not taken by then is still in the journal, and the next shipper goes on from there.
    ended = threading.Timer(END_SECONDS, os._exit, [1])
    ended.daemon = True
    ended.start()
    deadline = monotonic() + END_SECONDS - LAST_ATTEMPT_SECONDS
    while True:
        shipper.hurry()
        last = shipper.round(min(seconds, deadline - monotonic()))
        if not silent:
            _tell(last)
        shipped = last.pending == 0 and not shipper.behind
        if shipped or monotonic() + LAST_ATTEMPT_SECONDS > deadline:
            return int(not shipped)
        if not shipper.behind:
            sleep(LAST_ATTEMPT_SECONDS)


def _tell(result: Round) -> None:
    sys.stdout.write(f"{json.dumps(asdict(result))}\n")
    sys.stdout.flush()
