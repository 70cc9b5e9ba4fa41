"""Add the days until a customer is dormant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the change."""
    op.add_column("score_sets", sa.Column("dormant_after_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("score_sets", "dormant_after_days")
