"""Verifies what is said to have been taken by retention: it must be what retention can have taken."""

from collections.abc import Iterator
from uuid import UUID

from app.audit.commands.findings import Finding
from app.audit.signing import Signature, Trust
from app.audit.store.repository import Dropped, Store
from app.times import Month, utc

TOO_EARLY = "retention is said to have taken it, from a month that audit.retention_months keeps"
NO_MONTH = "retention is said to have taken it from the middle of a month, and it takes whole ones"
NOT_BORN = "retention is said to have taken it as older than its writer is"
NO_RUN = "retention is said to have taken it, in a run that ends before it begins"
YOUNGER = "retention is said to have taken it, and a record beside it is older and still here"


def wrong_removals(store: Store, run: Dropped, kept_from: int | None, trust: Trust | None) -> Iterator[Finding]:
    """What is wrong with one note of retention.

    kept_from: retention keeps everything from then on, microseconds since 1970; None: unknown. trust: None where
    signatures are not looked at. Raises RecordUnavailable.
    """
    for what in _problems(store, run, kept_from, trust):
        yield Finding("", run.writer, run.first, what)


def _problems(store: Store, run: Dropped, kept_from: int | None, trust: Trust | None) -> Iterator[str]:
    if run.last < run.first or run.first < 1:
        yield NO_RUN
    if kept_from is not None and run.before > kept_from:
        yield TOO_EARLY
    if run.before != Month.of(run.before).start:
        yield NO_MONTH
    if run.before <= born(run.writer):
        yield NOT_BORN
    beside = (store.link(run.writer, place) for place in (run.first - 1, run.last + 1))
    if any(it is not None and it.at < run.before for it in beside):
        yield YOUNGER
    if trust is not None:
        signature = None if run.key is None or run.signature is None else Signature(run.key, run.signature)
        if (problem := trust.problem(run.statement, signature, run.before)) is not None:
            yield f"retention is said to have taken it ({utc(run.before)[:10]}): {problem}"


def born(writer: str) -> int:
    """When a writer began, microseconds since 1970: its id is a UUIDv7; 0 for any other id."""
    try:
        identifier = UUID(writer)
    except ValueError:
        return 0
    return (identifier.int >> 80) * 1000 if identifier.version == 7 else 0
