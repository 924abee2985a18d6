"""`credit audit ship`: a process beside the server, which ends soon after it."""

import json
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from time import monotonic, sleep
from typing import Self

from app.audit.chain import Link
from app.audit.journal.layout import unshipped_bytes
from app.audit.shipping.key_in_force import keep_key
from app.audit.shipping.rounds import Round, Shipper
from app.audit.shipping.stop_signal import StopSignal, stop_signal
from app.audit.signing import Signer, signer_of
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.settings import AuditSettings, load_settings
from app.times import Month, microseconds_now

END_SECONDS = 9.0
"""From the signal to stop until the process has ended, whatever the database does; its parent kills it after 10."""

LAST_ATTEMPT_SECONDS = 0.5
"""Between two attempts of that time."""

NICENESS = 10
"""Added to the shipper's niceness: where it and the server want the same core, the server gets most of it."""

LOW_PRIORITY_SHARE = 0.25
"""Of what the journal may hold: from there on the shipper runs at full priority, before the journal is full."""

STATEMENT_SECONDS = 30.0
"""For one batch; a database that takes longer counts as away."""


@dataclass(frozen=True, slots=True)
class Database:
    """The database as the target of a shipper, which vouches for what it brings."""

    store: Store
    signer: Signer

    def prepare(self) -> None:
        # alembic is not needed afterwards, nor where nothing is shipped.
        from app.audit.store.schema.migrating import migrate

        migrate(self.store.engine, Month.of(microseconds_now()))
        keep_key(self.store, self.signer)

    def insert(self, links: list[Link]) -> None:
        self.store.insert(links, self.signer)


def ship() -> int:
    """Ship until SIGTERM, SIGINT or the end of standard input; gives the exit code: 0 when nothing is left to ship.

    Each round is told on standard output as the JSON of a `Round`, one a line. Raises SettingInvalid, RecordError.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # An interrupt from the terminal is for the server, which stops this process in its turn. No session of its own:
    # Linux shares a core between sessions whatever their niceness.
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    audit = load_settings().audit
    engine = open_engine(audit.database_uri, connections=1, statement_seconds=STATEMENT_SECONDS, create=True)
    shipper = Shipper(audit.journal_dir, Database(Store(engine), signer_of(audit)))
    with stop_signal() as stop:
        try:
            return _rounds(shipper, stop, audit)
        except BrokenPipeError:
            # Who read the rounds is gone, and the flush at exit would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _rest(shipper, audit.ship_seconds, silent=True)


class LowPriorityShipper:
    """Runs a shipper at low CPU priority, so that the server goes first, until the journal fills."""

    def __init__(self, shipper: Shipper, audit: AuditSettings) -> None:
        self._shipper = shipper
        self._audit = audit
        # Niceness is a thread's, and no thread gets back what it gave.
        self._low_priority = ThreadPoolExecutor(1, initializer=lambda: os.nice(NICENESS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._low_priority.shutdown()

    def round(self) -> Round:
        """One round of audit.ship_seconds."""
        seconds = self._audit.ship_seconds
        if unshipped_bytes(self._audit.journal_dir) < LOW_PRIORITY_SHARE * self._audit.journal_bytes:
            return self._low_priority.submit(self._shipper.round, seconds).result()
        return self._shipper.round(seconds)


def _rounds(shipper: Shipper, stop: StopSignal, audit: AuditSettings) -> int:
    with LowPriorityShipper(shipper, audit) as low_priority:
        while not stop.received():
            _tell(low_priority.round())
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
