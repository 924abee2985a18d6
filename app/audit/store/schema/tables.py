"""The tables as queries see them; the migrations make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[int]):
    """Microseconds since 1970; in Postgres a timestamp, which people can read and which partitions are ranges of."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "postgresql":
            return value
        return EPOCH + value * MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return (value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value


metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("writer", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("application_id", Text),
    Column("request_id", Text),
    Column("caller", Text),
    Column("verdict", Text),
)
"""One row for each decision: `content` is what was hashed, and the other columns repeat parts of it."""

entries = Table(
    "entries",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("content", Text, nullable=False),
)
"""The policies and the challengers' scores, which are links of the same chains as the decisions."""

dropped = Table(
    "dropped",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("before", Moment, nullable=False),
    Column("key", Text),
    Column("signature", Text),
)
"""Runs of links that retention removed, each with the hash of its last: they explain a chain that begins late.

`key` (public) and `signature` are null in what a release without signatures noted.
"""

requests = Table(
    "requests",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("claim", Text, nullable=False),
    Column("answer", Text),
)
"""Requests that named themselves by an Idempotency-Key: `body` is the SHA-256 of what was sent, `claim` who answers it,
`answer` what was answered, null until then. `key` is a digest too, so that no client's text is in it."""

heads = Table(
    "heads",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", Text, nullable=False),
)
"""The end of each chain as the shipper signed it last, `at` when; `key` is the public one."""
