"""What reviewers said of probable matches: one person, two, or that they can't tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two new tables."""
    op.create_table(
        "match_reviews",
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("model", sa.String(length=32), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_match_reviews")),
    )
    op.create_table(
        "match_review_ends",
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("review_id", "subject_key", name=op.f("pk_match_review_ends")),
    )
    op.create_index(op.f("ix_match_review_ends_subject_key"), "match_review_ends", ["subject_key"])
