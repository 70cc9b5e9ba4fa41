"""Add alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "alerts",
        sa.Column(
            "customer_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("value_at_risk", sa.Double(), nullable=True),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("expected_profit", sa.Double(), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("snoozed_at_risk", sa.Double(), nullable=True),
        sa.Column("last_purchase_date", sa.Date(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "kind", "about"),
        sa.UniqueConstraint("alert_id"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("alerts")
