"""The monthly partitions of a Postgres database; in SQLite, which has none, these functions do nothing."""

import re

from sqlalchemy import Connection, text

from app.audit.store.database import is_postgres
from app.times import Month, utc

PARTITIONED = ("decisions", "entries")
AHEAD = 2
"""Months after the present one that have their partition already."""


def make_ahead(connection: Connection, month: Month) -> list[str]:
    """Make the missing partitions for that month and the AHEAD months after it; gives their names.

    Rows of such a month move there from the default partition.
    """
    if not is_postgres(connection):
        return []
    made = []
    for table in PARTITIONED:
        existing = partitions(connection, table)
        for wanted in (month.plus(ahead) for ahead in range(AHEAD + 1)):
            if wanted not in existing:
                made.append(_make(connection, table, wanted))
    return made


def partitions(connection: Connection, table: str) -> dict[Month, str]:
    """The names of a table's partitions by month, without the default partition."""
    if not is_postgres(connection):
        return {}
    query = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)")
    names = connection.execute(query, {"table": table}).scalars()
    found = (re.fullmatch(rf"{table}_(\d{{4}})_(\d\d)", name) for name in names)
    return {Month(int(match[1]), int(match[2])): match[0] for match in found if match}


def drop_before(connection: Connection, month: Month) -> list[str]:
    """Drop every partition of the months before that one, oldest first; gives their names."""
    gone = []
    for table in PARTITIONED:
        for found, name in sorted(partitions(connection, table).items()):
            if found < month:
                connection.execute(text(f"DROP TABLE {name}"))
                gone.append(name)
    return gone


def _make(connection: Connection, table: str, month: Month) -> str:
    name = f"{table}_{month.year:04d}_{month.month:02d}"
    start, end = (f"'{utc(it.start)}'" for it in (month, month.plus(1)))
    connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    # Postgres refuses to attach a partition while the default one holds rows that belong in it.
    connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {table}_default WHERE at >= {start} AND at < {end} RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved"
        )
    )
    connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"))
    return name
