"""Waits for the database and brings its schema to the server's version, an empty database included."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow.db
import sqlalchemy

# One number for all servers of a database: the second waits until the first has changed the schema.
SCHEMA_LOCK = 20_260_501
log = logging.getLogger("prepare")


def engine_of(address: str) -> sqlalchemy.Engine:
    if address.startswith("postgresql://"):
        raise SystemExit("the address must name its driver: postgresql+psycopg2://…")
    return sqlalchemy.create_engine(address)


def wait_for(engine: sqlalchemy.Engine, timeout_seconds: float, pause_seconds: float = 2) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            with engine.connect():
                return
        except sqlalchemy.exc.OperationalError as error:
            reason = str(error.orig).strip()
            if time.monotonic() > deadline:
                raise SystemExit(f"no database in {timeout_seconds:g} s; the last answer: {reason}") from error
            log.info("waiting for the database: %s", reason)
            time.sleep(pause_seconds)


@contextmanager
def alone(engine: sqlalchemy.Engine) -> Iterator[None]:
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:lock)"), {"lock": SCHEMA_LOCK})
        yield


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # From the environment, never an argument, which every process list shows: `mlflow db upgrade` itself takes one.
    address = os.environ["MLFLOW_BACKEND_STORE_URI"]
    engine = engine_of(address)
    wait_for(engine, float(os.environ["TIMEOUT_SECONDS"]))
    with alone(engine):
        mlflow.db.upgrade.callback(address)
    log.info("the schema is up to date")


if __name__ == "__main__":
    main()
