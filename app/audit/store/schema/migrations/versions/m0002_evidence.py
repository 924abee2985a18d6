"""Signed ends of chains, signed notes of retention, what decisions are found by, and answers to be given again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

FOUND_BY = ("application_id", "request_id", "caller", "verdict")

# The names in the content; what is quoted inside of a text has a backslash before its quotes, so it is not found here.
FROM_CONTENT = {"request_id": "request_id", "caller": "caller", "verdict": "decision"}


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    moment = sa.DateTime(timezone=True) if postgres else sa.BigInteger()
    op.create_table(
        "heads",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
    )
    op.create_index("requests_by_time", "requests", ["at"])
    for name in ("key", "signature"):
        op.add_column("dropped", sa.Column(name, sa.Text))
    for name in FOUND_BY:
        op.add_column("decisions", sa.Column(name, sa.Text))
    if postgres:
        values = {name: f"""substring(content from '"{key}":"([^"]*)"')""" for name, key in FROM_CONTENT.items()}
        where = ""
    else:
        values = {name: f"json_extract(content, '$.{key}')" for name, key in FROM_CONTENT.items()}
        where = " WHERE json_valid(content)"
    assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
    op.execute(f"UPDATE decisions SET {assignments}{where}")
    given = sa.text("application_id IS NOT NULL")
    op.create_index(
        "decisions_by_application",
        "decisions",
        ["application_id", "at", "id"],
        postgresql_where=given,
        sqlite_where=given,
    )
    op.create_index("decisions_by_request", "decisions", ["request_id"])
