"""A record in each kind of database."""

from tests.unit.audit.conftest import database_uri, postgres, sqlite_store, store

__all__ = ["database_uri", "postgres", "sqlite_store", "store"]
