"""An index by which acts, reports and outcomes are found among the scores of challengers, which are far more."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("entries_by_kind", "entries", ["kind", "at"])
