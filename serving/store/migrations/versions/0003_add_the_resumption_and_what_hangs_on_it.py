"""Add the resumption and what hangs on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the change."""
    op.add_column("score_sets", sa.Column("resumption", sa.Double(), nullable=True))
    op.add_column("scores", sa.Column("value_of_resumption", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("scores", "value_of_resumption")
    op.drop_column("score_sets", "resumption")
