"""`python -m app.audit ship`: a process beside the server, which ends soon after it."""

import json
import logging
import os
import sys
import threading
from dataclasses import asdict, dataclass
from time import monotonic, sleep, time

from app.audit.database import open_engine
from app.audit.months import Month
from app.audit.record import Link
from app.audit.shipper import Round, Shipper
from app.audit.stopping import Stop, stopping
from app.audit.store import Store
from app.settings import Settings

END_SECONDS = 9.0
"""From being asked to end, until the process has ended whatever the database does; its parent kills it after 10."""

LAST_ATTEMPT_SECONDS = 0.5
"""Between the attempts of that time."""

NICENESS = 10
"""Where answers and the record want the same core, the answers get most of it: the record waits in the journal."""

STATEMENT_SECONDS = 30.0
"""For one batch; a database that takes longer is as good as away."""


@dataclass(frozen=True, slots=True)
class Database:
    """The shipper's target."""

    store: Store

    def prepare(self) -> None:
        # alembic is not needed afterwards, nor where nothing is shipped.
        from app.audit.schema.migrating import migrate

        migrate(self.store.engine, Month.of(int(time() * 1_000_000)))

    def insert(self, links: list[Link]) -> None:
        self.store.insert(links)


def ship(settings: Settings) -> int:
    """Until SIGTERM or the end of standard input; gives the exit code: 0 when nothing is left to ship."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # An interrupt from the terminal is for the server, which stops this process in its turn. No session of its own:
    # Linux shares a core between sessions whatever their niceness.
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    os.nice(NICENESS)
    audit = settings.audit
    engine = open_engine(audit.database_uri, connections=1, statement_seconds=STATEMENT_SECONDS, create=True)
    shipper = Shipper(audit.journal_dir, Database(Store(engine)))
    with stopping() as stop:
        try:
            return _rounds(shipper, stop, audit.ship_seconds)
        except BrokenPipeError:
            # Who read the rounds is gone, and the flush at exit would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _rest(shipper, audit.ship_seconds, silent=True)


def _rounds(shipper: Shipper, stop: Stop, seconds: float) -> int:
    while not stop.asked():
        _tell(shipper.round(seconds))
        if not shipper.behind:
            stop.wait(seconds)
    return _rest(shipper, seconds)


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
