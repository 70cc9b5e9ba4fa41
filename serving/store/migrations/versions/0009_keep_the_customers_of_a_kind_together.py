"""Keep the customers of a kind together in the rankings, which are made again from the newest set."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the change."""
    op.drop_table("rankings")
    op.drop_table("tallies")
    op.create_table(
        "rankings",
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("ordered_by", "kind", "rank"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies",
        sa.Column("kind", sa.Integer(), autoincrement=False, nullable=False),
        *_told_by(),
        sa.PrimaryKeyConstraint("kind"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("tallies")
    op.drop_table("rankings")
    op.create_table(
        "rankings",
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("value_tier", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("churn_band", sa.Text(), nullable=False),
        sa.Column("dormant", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ordered_by", "rank"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies", sa.Column("id", sa.Integer(), nullable=False), *_told_by(), sa.PrimaryKeyConstraint("id")
    )


def _told_by() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("value_tier", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("churn_band", sa.Text(), nullable=False),
        sa.Column("dormant", sa.Boolean(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("value_at_risk", sa.Double(), nullable=False),
    )
