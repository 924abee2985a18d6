"""What acts, reports and outcomes are found by among the scores of challengers, and decisions that go to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # In place of the key alone. An index of kind and time beside it SQLite would take for the better of the two, and
    # read every outcome there is, again for each that it looks for.
    op.create_index("entries_by_kind", "entries", ["kind", "key", "at"])
    op.drop_index("entries_by_key", "entries")
    to_review = sa.text("verdict = 'REVIEW'")
    op.create_index(
        "decisions_to_review", "decisions", ["at", "id"], postgresql_where=to_review, sqlite_where=to_review
    )
