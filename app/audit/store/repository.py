"""The record in its database: links are put in, each once however often it is tried, and read back in chunks."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Subquery,
    Table,
    and_,
    func,
    literal,
    null,
    or_,
    select,
    text,
    union_all,
)

from app.audit.chain import FOUND_BY, Kind, Link, link_of
from app.audit.signing import Signer, head_statement, removal_statement
from app.audit.store.database import READING, is_postgres, translated
from app.audit.store.inserts import insert_links, sign_ends
from app.audit.store.schema.tables import decisions, dropped, entries, heads
from app.errors import RecordInvalid

CHUNK = 2_000
"""Rows that a reader holds at a time."""


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
    application_id: str | None
    request_id: str | None
    caller: str | None
    verdict: str | None

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
class SignedHead:
    """The end of a chain, as the service signed it last."""

    writer: str
    sequence: int
    hash: str
    at: int
    """When it was signed, microseconds since 1970."""
    key: str
    """The public one, in hex."""
    signature: str

    @property
    def statement(self) -> str:
        return head_statement(self.writer, self.sequence, self.hash, self.at)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A run of links that retention removed from a chain."""

    writer: str
    first: int
    last: int
    hash: str
    """Of the last."""
    before: int
    """The moment that they were older than, microseconds since 1970."""
    key: str | None
    signature: str | None

    @property
    def statement(self) -> str:
        return removal_statement(self.writer, self.first, self.last, self.hash, self.before)


class Store:
    """The record in one database. Every method may raise RecordUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def insert(self, links: Sequence[Link], signer: Signer | None = None) -> None:
        """All or nothing; a link that is there already stays as it is. signer: signs where their chains end now."""
        with translated("decisions cannot be kept", self.engine), self.engine.begin() as connection:
            insert_links(connection, links)
            if signer is not None:
                sign_ends(connection, links, signer)

    def decision(self, key: str) -> Stored | None:
        """A decision by its id; None when there is none. Raises RecordInvalid when there are several."""
        query = _all_of(decisions).where(decisions.c.id == key).limit(2)
        with self.reading() as connection:
            rows = connection.execute(query).all()
        if len(rows) > 1:
            raise RecordInvalid(f"the record holds decision {key} more than once; credit audit verify says where")
        return _stored(rows[0]) if rows else None

    def repeated(self, since: int | None = None, until: int | None = None) -> list[Stored]:
        """Every decision of [since, until) whose id others have too, whenever those were made, and those others."""
        several = select(decisions.c.id).group_by(decisions.c.id).having(func.count() > 1)
        if since is not None or until is not None:
            several = several.having(func.max(decisions.c.at) >= (since or 0))
        if until is not None:
            several = several.having(func.min(decisions.c.at) < until)
        query = _all_of(decisions).where(decisions.c.id.in_(several)).order_by(decisions.c.id, decisions.c.at)
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def newest(self, conditions: Iterable[ColumnElement[bool]], most: int) -> list[Stored]:
        """The decisions that meet the conditions, newest first, and no more than that many."""
        query = _all_of(decisions).where(*conditions).order_by(decisions.c.at.desc(), decisions.c.id.desc())
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query.limit(most))]

    def challengers(self, keys: Sequence[str]) -> list[Stored]:
        """The scores that challengers gave to those decisions."""
        query = _all_of(entries).where(entries.c.kind == "challenger", entries.c.key.in_(keys))
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(entries.c.at))]

    def entries(self, kinds: Sequence[str], since: int | None, until: int | None) -> list[Stored]:
        """The links of those kinds of [since, until), in the order of their time."""
        query = _within(_all_of(entries), entries, since, until).where(entries.c.kind.in_(kinds))
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(entries.c.at, entries.c.key))]

    def acts(self, whats: Sequence[str], most: int) -> list[Stored]:
        """The latest acts of those kinds, such as promotion, newest first, and no more than that many."""
        # As app.audit.acts writes them; looks at decisions are acts too, and far more than all others.
        told = [entries.c.content.contains(f'"what":"{what}"', autoescape=True) for what in whats]
        query = _all_of(entries).where(entries.c.kind == "act", or_(*told))
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(entries.c.at.desc()).limit(most))]

    def latest(self, kind: Kind, key: str) -> Stored | None:
        """The latest link of that kind and key, such as a policy's; None when there is none."""
        query = _all_of(entries).where(entries.c.kind == kind, entries.c.key == key)
        with self.reading() as connection:
            row = connection.execute(query.order_by(entries.c.at.desc()).limit(1)).first()
        return None if row is None else _stored(row)

    def decisions(self, since: int | None, until: int | None) -> Generator[Stored]:
        """The decisions of [since, until), microseconds since 1970, in the order of their time; None: unbounded."""
        query = _within(_all_of(decisions), decisions, since, until).order_by(decisions.c.at, decisions.c.id)
        yield from self._stream(query)

    def count(self, since: int | None, until: int | None) -> int:
        """How many decisions `decisions` would give."""
        query = _within(select(func.count()).select_from(decisions), decisions, since, until)
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def spans(self, since: int | None = None, until: int | None = None) -> list[Span]:
        """For each writer, the stretch from the first to the last of its links of [since, until)."""
        both = links_between(since, until)
        query = select(both.c.writer, func.min(both.c.sequence), func.max(both.c.sequence), func.count())
        with self.reading() as connection:
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
        with self.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _stored(row)

    def digests(self, writer: str, first: int, last: int) -> list[str]:
        """The hashes of a stretch of a writer's chain, in its order."""
        both = links_between()
        inside = and_(both.c.writer == writer, both.c.sequence.between(first, last))
        with self.reading() as connection:
            return list(connection.execute(select(both.c.hash).where(inside).order_by(both.c.sequence)).scalars())

    def dropped(self) -> list[Dropped]:
        """The runs that retention removed from chains, in order."""
        with self.reading() as connection:
            rows = connection.execute(select(dropped).order_by(dropped.c.writer, dropped.c.first))
            return [Dropped(*row) for row in rows]

    def heads(self) -> list[SignedHead]:
        """The signed end of every chain."""
        with self.reading() as connection:
            rows = connection.execute(select(heads).order_by(heads.c.writer))
            return [SignedHead(*row) for row in rows]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for queries alone."""
        with translated("the record cannot be read", self.engine):
            with self.engine.connect().execution_options(**READING) as connection:
                yield connection

    def _stream(self, query: Select[Any]) -> Iterator[Stored]:
        with self.reading() as connection:
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
        *(columns[name] if table is decisions else null().label(name) for name in FOUND_BY),
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
