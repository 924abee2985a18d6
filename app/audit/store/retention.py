"""Removes links that are older than the retention, and notes which ones, so that verifying explains the gap."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.audit.signing import Signer, removal_statement
from app.audit.store.answers import forget_answers
from app.audit.store.database import is_postgres, translated
from app.audit.store.repository import Store, links_between
from app.audit.store.schema.migrating import LOCK, LOCK_SECONDS
from app.audit.store.schema.partitions import drop_before, make_ahead
from app.audit.store.schema.tables import decisions, dropped, entries
from app.times import Month, microseconds_now, utc


@dataclass(frozen=True, slots=True)
class Retained:
    """What one run of the retention did: nothing older than `before` is left."""

    before: str
    links: int
    partitions_made: Sequence[str]
    partitions_dropped: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        made, gone = (", ".join(names) or "none" for names in (self.partitions_made, self.partitions_dropped))
        return f"took {self.links:,} links from before {self.before}; partitions made: {made}; dropped: {gone}"


def retain(store: Store, now: Month, months: int, signer: Signer | None = None) -> Retained:
    """Make partitions ahead, and remove what is older than that many whole months before the present one.

    signer: signs the note of what was taken, without which verify does not believe it.
    Raises RecordUnavailable, also when somebody reads the record for longer than it may wait.
    """
    oldest = now.plus(-months)
    what = "what is older than the retention stays for now"
    with translated(what, store.engine), store.engine.begin() as connection:
        if is_postgres(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        made = make_ahead(connection, now)
        links = _remember(connection, oldest.start, signer)
        gone = drop_before(connection, oldest)
        # From the default partition, or from SQLite, which has no other.
        for table in (decisions, entries):
            connection.execute(delete(table).where(table.c.at < oldest.start))
        forget_answers(connection, microseconds_now())
    return Retained(utc(oldest.start), links, made, gone)


def _remember(connection: Connection, before: int, signer: Signer | None) -> int:
    """Note the runs of links older than a moment, microseconds since 1970; gives how many links they have."""
    old = links_between(None, before)
    place = func.row_number().over(partition_by=old.c.writer, order_by=old.c.sequence)
    numbered = select(old.c.writer, old.c.sequence, (old.c.sequence - place).label("run")).subquery()
    first, last = func.min(numbered.c.sequence).label("first"), func.max(numbered.c.sequence).label("last")
    runs = select(numbered.c.writer, first, last).group_by(numbered.c.writer, numbered.c.run).subquery()
    same = (old.c.writer == runs.c.writer) & (old.c.sequence == runs.c.last)
    ended = select(runs.c.writer, runs.c.first, runs.c.last, old.c.hash).join_from(runs, old, same)
    rows = [_note(row._mapping, before, signer) for row in connection.execute(ended)]
    if rows:
        dialect = postgresql if is_postgres(connection) else sqlite
        connection.execute(dialect.insert(dropped).on_conflict_do_nothing(), rows)
    return sum(row["last"] - row["first"] + 1 for row in rows)


def _note(run: Mapping[Any, Any], before: int, signer: Signer | None) -> dict[str, Any]:
    note = dict(run) | {"before": before, "key": None, "signature": None}
    if signer is not None:
        signed = signer.sign(removal_statement(run["writer"], run["first"], run["last"], run["hash"], before))
        note |= {"key": signed.key, "signature": signed.value}
    return note
