"""Add the gross value and what customers cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the change."""
    op.add_column("score_sets", sa.Column("cost_per_order", sa.Double(), nullable=True))
    op.add_column("score_sets", sa.Column("cost_per_day", sa.Double(), nullable=True))
    op.add_column("score_sets", sa.Column("bad_debt_rate", sa.Double(), nullable=True))
    op.add_column("score_sets", sa.Column("inactivity_days", sa.Integer(), nullable=True))
    op.add_column("scores", sa.Column("expected_gross_value", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("scores", "expected_gross_value")
    op.drop_column("score_sets", "inactivity_days")
    op.drop_column("score_sets", "bad_debt_rate")
    op.drop_column("score_sets", "cost_per_day")
    op.drop_column("score_sets", "cost_per_order")
