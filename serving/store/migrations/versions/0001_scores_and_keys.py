"""Sets of scores, the scores, and the API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "score_sets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("published_at", _MOMENT, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("snapshot_date", sa.Date, nullable=False),
        sa.Column("customers", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "scores",
        sa.Column("set_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("customer_id", _ID, primary_key=True),
        sa.Column("churn_probability", sa.Double, nullable=False),
        sa.Column("p_alive", sa.Double, nullable=False),
        sa.Column("expected_purchases", sa.Double, nullable=False),
        sa.Column("expected_spend", sa.Double, nullable=False),
        sa.Column("expected_value", sa.Double, nullable=False),
        sa.Column("expected_value_low", sa.Double),
        sa.Column("expected_value_high", sa.Double),
        sa.Column("value_if_silent", sa.Double, nullable=False),
        sa.Column("value_at_stake", sa.Double, nullable=False),
        sa.Column("value_at_risk", sa.Double, nullable=False),
        sa.Column("value_tier", sa.Text, nullable=False),
        sa.Column("next_purchase_date", sa.Date),
        sa.Column("next_purchase_low", sa.Date),
        sa.Column("next_purchase_high", sa.Date),
        sa.Column("reasons", sa.JSON, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("rate_limit", sa.Text),
        sa.Column("max_body_bytes", sa.BigInteger),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
    )
    op.create_index(
        "api_keys_active_name",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def downgrade() -> None:
    """Drop the three tables, with what is in them."""
    for table in ("api_keys", "scores", "score_sets"):
        op.drop_table(table)
