"""A record in each kind of database, and a model of the sample."""

from tests.support.estimators import trained_model
from tests.unit.audit.conftest import database_uri, postgres, sqlite_store, store

__all__ = ["database_uri", "postgres", "sqlite_store", "store", "trained_model"]
