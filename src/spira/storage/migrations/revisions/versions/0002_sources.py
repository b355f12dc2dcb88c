"""A source's key can be exchanged, and a source can end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns that are empty in the rows there are."""
    op.add_column("sources", sa.Column("ended_at", sa.DateTime(), nullable=True))
    op.add_column("sources", sa.Column("previous_key", sa.String(length=64), nullable=True))
    op.add_column("sources", sa.Column("previous_until", sa.DateTime(), nullable=True))
