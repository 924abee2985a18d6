"""Runs the migrations for alembic, on the caller's connection and in its transaction."""

from alembic import context

from app.audit.store.schema.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
