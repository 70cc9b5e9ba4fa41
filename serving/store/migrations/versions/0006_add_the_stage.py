"""Add the stage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the change."""
    op.add_column("scores", sa.Column("stage", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("scores", "stage")
