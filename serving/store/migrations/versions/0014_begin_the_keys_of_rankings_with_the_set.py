"""Begin the keys of rankings and of places with the set; both are made again from the newest one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OWN_COLUMNS = 12


def upgrade() -> None:
    """Make the change."""
    _make(["set_id", "ordered_by", "kind", "rank"], ["set_id", "customer_id"])


def downgrade() -> None:
    """Take the change back."""
    _make(["ordered_by", "kind", "rank"], ["customer_id"])


def _make(key_of_rankings: list[str], key_of_places: list[str]) -> None:
    op.drop_table("rankings")
    op.drop_table("own_places")
    op.execute("DELETE FROM tallies")  # without which a workbench that begins makes all of them
    op.create_table(
        "rankings",
        sa.Column("set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint(*key_of_rankings),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "own_places",
        sa.Column("set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        *(sa.Column(f"score_{number}", sa.Integer(), nullable=False) for number in range(4)),
        *(sa.Column(f"own_{number}", sa.Integer(), nullable=True) for number in range(_OWN_COLUMNS)),
        sa.PrimaryKeyConstraint(*key_of_places),
        sqlite_with_rowid=False,
    )
