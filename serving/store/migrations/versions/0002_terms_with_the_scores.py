"""Add spend per purchase, last purchase, horizon and margin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the change."""
    op.add_column("score_sets", sa.Column("horizon_days", sa.Integer(), nullable=True))
    op.add_column("score_sets", sa.Column("margin", sa.Double(), nullable=True))
    op.add_column("scores", sa.Column("spend_per_purchase", sa.Double(), nullable=True))
    op.add_column("scores", sa.Column("last_purchase_date", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("scores", "last_purchase_date")
    op.drop_column("scores", "spend_per_purchase")
    op.drop_column("score_sets", "margin")
    op.drop_column("score_sets", "horizon_days")
