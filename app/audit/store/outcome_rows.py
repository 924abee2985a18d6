"""Decisions and their outcomes by what a lender's system calls them, many at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select

from app.audit.chain import link_of
from app.audit.store.repository import CHUNK, Store
from app.audit.store.review_rows import final, reviews
from app.audit.store.schema.tables import decisions, entries
from app.errors import RecordInvalid
from app.scoring.policy import Verdict

MOST_AT_ONCE = 1_000
"""Names in one query."""


@dataclass(frozen=True, slots=True)
class DecidedOn:
    """What an outcome can be about."""

    key: str
    at: int
    application_id: str | None
    verdict: Verdict
    """A person's, where one decided."""


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """How a decision's loan went, as it is known now."""

    bad: int
    """1 for a default, else 0."""
    observed: str
    """The day, as 2026-01-31."""


def decided(store: Store, keys: Sequence[str], applications: Sequence[str]) -> Iterator[DecidedOn]:
    """The decisions of those ids, and those on those applications, oldest first. Raises RecordUnavailable."""
    for column, names in ((decisions.c.id, keys), (decisions.c.application_id, applications)):
        for start in range(0, len(names), MOST_AT_ONCE):
            yield from _decided(store, column.in_(names[start : start + MOST_AT_ONCE]))


def _decided(store: Store, condition: ColumnElement[bool]) -> list[DecidedOn]:
    columns = (decisions.c.id, decisions.c.at, decisions.c.application_id, decisions.c.verdict)
    with store.reading() as connection:
        rows = connection.execute(select(*columns).where(condition).order_by(decisions.c.at, decisions.c.id)).all()
    found = [DecidedOn(*row) for row in rows]
    by_people = reviews(store, [it.key for it in found])
    return [replace(it, verdict=final(it.verdict, by_people.get(it.key))) for it in found]


def outcomes(store: Store, keys: Sequence[str] | None = None) -> dict[str, KnownOutcome]:
    """The latest outcome of each of those decisions, or of all that have one, by the decision's id.

    Raises RecordUnavailable, and RecordInvalid when one is not what was written.
    """
    found: dict[str, KnownOutcome] = {}
    if keys is None:
        _read(store, [], found)
        return found
    for start in range(0, len(keys), MOST_AT_ONCE):
        _read(store, [entries.c.key.in_(keys[start : start + MOST_AT_ONCE])], found)
    return found


def _read(store: Store, conditions: list[ColumnElement[bool]], found: dict[str, KnownOutcome]) -> None:
    # Later ones take the place of earlier ones.
    query = select(entries.c.hash, entries.c.content).where(entries.c.kind == "outcome", *conditions)
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=CHUNK).execute(query.order_by(entries.c.at, entries.c.sequence))
        for digest, content in rows:
            fields = link_of(digest, content).fields
            try:
                found[fields["key"]] = KnownOutcome(fields["bad"], fields["observed"])
            except KeyError as error:
                raise RecordInvalid(f"an outcome lacks {error}; credit audit verify says more") from error
