"""A source says how strict it is, whether it waits for consent, and after how long silence is an alarm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns; the sources there are stay as they were: the plan's own strictness, no waiting, no alarm."""
    op.add_column("sources", sa.Column("mode", sa.String(length=16), nullable=True))
    op.add_column("sources", sa.Column("consent_first", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sources", sa.Column("silent_minutes", sa.Integer(), nullable=True))
