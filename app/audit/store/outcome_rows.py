"""Decisions and their outcomes by what a lender's system calls them, many at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select

from app.audit.store.about import MOST_AT_ONCE, links_about
from app.audit.store.repository import Store
from app.audit.store.review_rows import final, reviews
from app.audit.store.schema.tables import decisions
from app.errors import RecordInvalid
from app.scoring.policy import Verdict


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
    found = {}
    for link in links_about(store, "outcome", keys):
        try:
            found[link.key] = KnownOutcome(link.fields["bad"], link.fields["observed"])
        except KeyError as error:
            raise RecordInvalid(f"an outcome lacks {error}; credit audit verify says more") from error
    return found
