"""The first tables: decisions, entries, and the links that retention removed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    moment = sa.DateTime(timezone=True) if postgres else sa.BigInteger()
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", moment, primary_key=True),
        sa.Column("writer", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("decisions_by_writer", "decisions", ["writer", "sequence"])
    op.create_index("decisions_by_time", "decisions", ["at", "id"])
    op.create_table(
        "entries",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", moment, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("entries_by_key", "entries", ["key"])
    op.create_table(
        "dropped",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("before", moment, nullable=False),
    )
    if postgres:
        # For records of months without a partition: a clock that went wrong, or nobody who made one ahead.
        for name in ("decisions", "entries"):
            op.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")
