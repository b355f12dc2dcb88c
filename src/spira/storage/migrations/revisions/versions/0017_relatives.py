"""Who died, as a close relative told, and what relatives ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One new column of restrictions, one of requests."""
    for name in ("restrictions", "rights_requests"):
        op.add_column(name, sa.Column("relative", sa.String(length=16), nullable=True))
