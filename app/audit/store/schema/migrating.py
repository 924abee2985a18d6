"""Brings a database up to this release; a module of its own, because readers need no alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, inspect, text

from app.audit.store.database import is_postgres, public, translated
from app.audit.store.schema.partitions import make_ahead
from app.audit.store.schema.tables import metadata
from app.errors import RecordError
from app.times import Month

LOCK = 7_211_520_402
"""Postgres' advisory lock for changes of the schema and for dropping partitions; any number nobody else uses."""

LOCK_SECONDS = 10
"""Longest that a change of the tables waits for their readers, because the shipper waits behind it."""


def migrate(engine: Engine, month: Month) -> None:
    """Make or change the tables, with partitions for that month and the months ahead.

    May be called by several processes at once: one works, the others find it done.
    Raises RecordUnavailable, and RecordError for a database that a later release has changed.
    """
    with translated("cannot bring the tables up to date", engine), engine.begin() as connection:
        if is_postgres(connection):
            # A change of tables with years of decisions in them takes longer than any batch.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        try:
            command.upgrade(config_of(connection), "head")
        except CommandError as error:
            raise RecordError(
                f"{public(engine.url)} has tables of a later release than this one; run that release"
            ) from error
        if missing := set(metadata.tables) - set(inspect(connection).get_table_names()):
            raise RecordError(
                f"{public(engine.url)} lacks the table {sorted(missing)[0]}, which was made there once and is gone:"
                " bring it back from a backup; or, to begin a new record, drop alembic_version and the tables that are"
                " left"
            )
        make_ahead(connection, month)


def config_of(connection: Connection) -> Config:
    """What alembic has to know, to work on that connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
