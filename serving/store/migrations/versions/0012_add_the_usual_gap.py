"""Add the usual gap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the change."""
    op.add_column("scores", sa.Column("usual_gap_days", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("scores", "usual_gap_days")
