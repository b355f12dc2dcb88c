"""What staff decided of identifiers: one person, or two."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two new tables."""
    op.create_table(
        "identity_decisions",
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_identity_decisions")),
    )
    op.create_table(
        "identity_ends",
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "subject_key", name=op.f("pk_identity_ends")),
    )
    op.create_index(op.f("ix_identity_ends_subject_key"), "identity_ends", ["subject_key"])
