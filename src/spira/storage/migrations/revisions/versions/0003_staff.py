"""Where sessions come from and when they were last used, tokens that end, second factors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that are empty in the rows there are, and three new tables."""
    op.add_column("staff", sa.Column("last_seen_at", sa.DateTime(), nullable=True))
    op.add_column("sessions", sa.Column("agent", sa.String(length=100), nullable=True))
    op.add_column("sessions", sa.Column("origin", sa.String(length=100), nullable=True))
    op.add_column("sessions", sa.Column("last_seen_at", sa.DateTime(), nullable=True))
    op.add_column("tokens", sa.Column("expires_at", sa.DateTime(), nullable=True))
    op.add_column("tokens", sa.Column("last_used_at", sa.DateTime(), nullable=True))
    op.create_table(
        "half_sessions",
        sa.Column("half_hash", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("half_hash", name=op.f("pk_half_sessions")),
    )
    op.create_table(
        "second_factors",
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_staff_id"), "recovery_codes", ["staff_id"])
