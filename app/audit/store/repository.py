"""The record in its database: links are put in, whatever is retried once, and read back in chunks."""

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

from app.audit.chain import Link
from app.audit.store.database import READING, is_postgres, translated
from app.audit.store.schema.tables import decisions, dropped, entries
from app.times import utc

CHUNK = 2_000
"""Rows that a reader holds at a time."""

DAY = 86_400_000_000
"""Microseconds. So far a decision's time may lie from that of its id and still be found in one partition."""

POSTGRES_TYPES = {"sequence": "bigint", "at": "timestamptz"}
"""Of the columns that are no text."""

FAR_FUTURE = 200_000 * DAY
"""Later than any decision, and still a time that Python and Postgres can hold."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as the database has it, true or not."""

    kind: str
    key: str
    at: int
    writer: str
    sequence: int
    hash: str
    content: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one writer's chain."""

    writer: str
    first: int
    last: int
    links: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Links that retention took."""

    first: int
    last: int
    hash: str
    """Of the last."""
    before: int
    """The moment that they were older than, microseconds since 1970."""


class Store:
    """Every method raises RecordUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def insert(self, links: Iterable[Link]) -> None:
        """All or nothing; a link that is there already stays as it is."""
        parts: dict[str, list[Link]] = {"decisions": [], "entries": []}
        for it in links:
            parts["decisions" if it.kind == "decision" else "entries"].append(it)
        with translated("decisions cannot be kept", self.engine), self.engine.begin() as connection:
            insert = _insert_postgres if is_postgres(connection) else _insert_sqlite
            for name, part in parts.items():
                if part:
                    insert(connection, name, part)

    def decision(self, key: str) -> Stored | None:
        """By its id alone, a UUID in its usual form."""
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
        """The latest link that holds it."""
        query = _all_of(entries).where(entries.c.kind == "policy", entries.c.key == version)
        with self._reading() as connection:
            row = connection.execute(query.order_by(entries.c.at.desc()).limit(1)).first()
        return None if row is None else _stored(row)

    def decisions(self, since: int | None, until: int | None) -> Generator[Stored]:
        """Those of [since, until) by their time, microseconds since 1970."""
        query = _within(_all_of(decisions), decisions, since, until).order_by(decisions.c.at, decisions.c.id)
        yield from self._stream(query)

    def count(self, since: int | None, until: int | None) -> int:
        """Of decisions."""
        query = _within(select(func.count()).select_from(decisions), decisions, since, until)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def spans(self, since: int | None = None, until: int | None = None) -> list[Span]:
        """By writer, what lies between the first and the last of its links of that time."""
        both = links_between(since, until)
        query = select(both.c.writer, func.min(both.c.sequence), func.max(both.c.sequence), func.count())
        with self._reading() as connection:
            rows = connection.execute(query.group_by(both.c.writer).order_by(both.c.writer))
            return [Span(*row) for row in rows]

    def chain(self, span: Span) -> Iterator[Stored]:
        """Every link of it, in order."""
        both = links_between()
        inside = and_(both.c.writer == span.writer, both.c.sequence.between(span.first, span.last))
        yield from self._stream(select(both).where(inside).order_by(both.c.sequence, both.c.at))

    def link(self, writer: str, sequence: int) -> Stored | None:
        """At that place of a chain."""
        both = links_between()
        query = select(both).where(both.c.writer == writer, both.c.sequence == sequence)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _stored(row)

    def dropped(self, writer: str) -> list[Dropped]:
        """What retention took of a chain, in order."""
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


def _insert_postgres(connection: Connection, name: str, links: Sequence[Link]) -> None:
    # A column at a time takes a third of the processor's time of a row at a time, and half the server's.
    columns = {**_columns(name, links), "at": [utc(it.at) for it in links]}
    arrays = ", ".join(f"%s::{POSTGRES_TYPES.get(column, 'text')}[]" for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING",
        tuple(columns.values()),
    )


def _insert_sqlite(connection: Connection, name: str, links: Sequence[Link]) -> None:
    columns = _columns(name, links)
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING",
        list(zip(*columns.values(), strict=True)),
    )


def _columns(name: str, links: Sequence[Link]) -> dict[str, list[Any]]:
    columns = {"writer": "writer", "sequence": "sequence", "at": "at", "hash": "hash", "content": "content"}
    columns |= {"id": "key"} if name == "decisions" else {"kind": "kind", "key": "key"}
    return {column: [getattr(it, field) for it in links] for column, field in columns.items()}


def _stored(row: Iterable[Any]) -> Stored:
    return Stored(*row)


def _all_of(table: Table) -> Select[Any]:
    """In the order of Stored's fields."""
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
    """The links of [since, until), wherever they lie, in the columns of Stored."""
    parts = (_within(_all_of(table), table, since, until) for table in (decisions, entries))
    return union_all(*parts).subquery()


def _within(query: Select[Any], table: Table, since: int | None, until: int | None) -> Select[Any]:
    if since is not None:
        query = query.where(table.c.at >= since)
    if until is not None:
        query = query.where(table.c.at < until)
    return query
