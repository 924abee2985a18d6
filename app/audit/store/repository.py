"""The record in its database: links are put in, each once however often it is tried, and read back in chunks."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Subquery,
    Table,
    and_,
    func,
    literal,
    select,
    text,
    union_all,
)

from app.audit.chain import Link, link_of
from app.audit.store.database import READING, is_postgres, translated
from app.audit.store.inserts import insert_links
from app.audit.store.schema.tables import decisions, dropped, entries

CHUNK = 2_000
"""Rows that a reader holds at a time."""

DAY = 86_400_000_000
"""In microseconds. A decision whose time is that close to the time in its id is found in one partition."""

FAR_FUTURE = 200_000 * DAY
"""Later than any decision, and still a time that Python and Postgres can hold."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as the database has it, which may have been changed since it was written."""

    kind: str
    key: str
    at: int
    writer: str
    sequence: int
    hash: str
    content: str

    def to_link(self) -> Link:
        """The link that it holds, proven. Raises RecordInvalid when hash or content is not what was written."""
        return link_of(self.hash, self.content)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one writer's chain."""

    writer: str
    first: int
    last: int
    links: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A run of links that retention removed from a chain."""

    first: int
    last: int
    hash: str
    """Of the last."""
    before: int
    """The moment that they were older than, microseconds since 1970."""


class Store:
    """The record in one database. Every method may raise RecordUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def insert(self, links: Iterable[Link]) -> None:
        """All or nothing; a link that is there already stays as it is."""
        with translated("decisions cannot be kept", self.engine), self.engine.begin() as connection:
            insert_links(connection, links)

    def decision(self, key: str) -> Stored | None:
        """A decision by its id, a UUID in its usual form; None when there is none."""
        query = _all_of(decisions).where(decisions.c.id == key)
        # The first 48 bits of a UUIDv7 are milliseconds since 1970; of any other they are as good as random.
        moment = min((UUID(key).int >> 80) * 1000, FAR_FUTURE)
        with self._reading() as connection:
            # Most searches end in the partition of that month.
            near = query.where(decisions.c.at.between(moment - DAY, moment + DAY))
            row = connection.execute(near).first() or connection.execute(query).first()
        return None if row is None else _stored(row)

    def challengers(self, keys: Sequence[str]) -> list[Stored]:
        """The scores that challengers gave to those decisions."""
        query = _all_of(entries).where(entries.c.kind == "challenger", entries.c.key.in_(keys))
        with self._reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(entries.c.at))]

    def policy(self, version: str) -> Stored | None:
        """The latest link that holds the policy of that version; None when there is none."""
        query = _all_of(entries).where(entries.c.kind == "policy", entries.c.key == version)
        with self._reading() as connection:
            row = connection.execute(query.order_by(entries.c.at.desc()).limit(1)).first()
        return None if row is None else _stored(row)

    def decisions(self, since: int | None, until: int | None) -> Generator[Stored]:
        """The decisions of [since, until), microseconds since 1970, in the order of their time; None: unbounded."""
        query = _within(_all_of(decisions), decisions, since, until).order_by(decisions.c.at, decisions.c.id)
        yield from self._stream(query)

    def count(self, since: int | None, until: int | None) -> int:
        """How many decisions `decisions` would give."""
        query = _within(select(func.count()).select_from(decisions), decisions, since, until)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def spans(self, since: int | None = None, until: int | None = None) -> list[Span]:
        """For each writer, the stretch from the first to the last of its links of [since, until)."""
        both = links_between(since, until)
        query = select(both.c.writer, func.min(both.c.sequence), func.max(both.c.sequence), func.count())
        with self._reading() as connection:
            rows = connection.execute(query.group_by(both.c.writer).order_by(both.c.writer))
            return [Span(*row) for row in rows]

    def chain(self, span: Span) -> Iterator[Stored]:
        """Every link of a stretch, in the order of the chain."""
        both = links_between()
        inside = and_(both.c.writer == span.writer, both.c.sequence.between(span.first, span.last))
        yield from self._stream(select(both).where(inside).order_by(both.c.sequence, both.c.at))

    def link(self, writer: str, sequence: int) -> Stored | None:
        """The link at that place of a writer's chain; None when there is none."""
        both = links_between()
        query = select(both).where(both.c.writer == writer, both.c.sequence == sequence)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _stored(row)

    def dropped(self, writer: str) -> list[Dropped]:
        """The runs that retention removed from a writer's chain, in order."""
        query = select(dropped.c.first, dropped.c.last, dropped.c.hash, dropped.c.before)
        with self._reading() as connection:
            rows = connection.execute(query.where(dropped.c.writer == writer).order_by(dropped.c.first))
            return [Dropped(*row) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated("the record cannot be read", self.engine):
            with self.engine.connect().execution_options(**READING) as connection:
                yield connection

    def _stream(self, query: Select[Any]) -> Iterator[Stored]:
        with self._reading() as connection:
            if is_postgres(connection):
                # Begin with the first row at once, by an index, and sort no table of years on the disk.
                connection.execute(text("SET LOCAL cursor_tuple_fraction = 0.000001"))
            rows = connection.execution_options(yield_per=CHUNK).execute(query)
            for row in rows:
                yield _stored(row)


def _stored(row: Iterable[Any]) -> Stored:
    return Stored(*row)


def _all_of(table: Table) -> Select[Any]:
    """A query of every row of a table, its columns in the order of Stored's fields."""
    kind, key = (literal("decision"), table.c.id) if table is decisions else (table.c.kind, table.c.key)
    columns = table.c
    return select(
        kind.label("kind"),
        key.label("key"),
        columns.at,
        columns.writer,
        columns.sequence,
        columns.hash,
        columns.content,
    )


def links_between(since: int | None = None, until: int | None = None) -> Subquery:
    """The links of [since, until) from both tables, in the columns of Stored."""
    parts = (_within(_all_of(table), table, since, until) for table in (decisions, entries))
    return union_all(*parts).subquery()


def _within(query: Select[Any], table: Table, since: int | None, until: int | None) -> Select[Any]:
    if since is not None:
        query = query.where(table.c.at >= since)
    if until is not None:
        query = query.where(table.c.at < until)
    return query
