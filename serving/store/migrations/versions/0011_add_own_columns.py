"""Add own columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "own_columns",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("numeric", sa.Boolean(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "own_places",
        sa.Column(
            "customer_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("score_0", sa.Integer(), nullable=False),
        sa.Column("score_1", sa.Integer(), nullable=False),
        sa.Column("score_2", sa.Integer(), nullable=False),
        sa.Column("score_3", sa.Integer(), nullable=False),
        sa.Column("own_0", sa.Integer(), nullable=True),
        sa.Column("own_1", sa.Integer(), nullable=True),
        sa.Column("own_2", sa.Integer(), nullable=True),
        sa.Column("own_3", sa.Integer(), nullable=True),
        sa.Column("own_4", sa.Integer(), nullable=True),
        sa.Column("own_5", sa.Integer(), nullable=True),
        sa.Column("own_6", sa.Integer(), nullable=True),
        sa.Column("own_7", sa.Integer(), nullable=True),
        sa.Column("own_8", sa.Integer(), nullable=True),
        sa.Column("own_9", sa.Integer(), nullable=True),
        sa.Column("own_10", sa.Integer(), nullable=True),
        sa.Column("own_11", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "own_rows",
        sa.Column(
            "customer_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("own_rows")
    op.drop_table("own_places")
    op.drop_table("own_columns")
