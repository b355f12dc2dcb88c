"""What a token may read of people; notes that are edited, pinned and mention colleagues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New columns of two tables, and two tables."""
    op.add_column("tokens", sa.Column("scope", sa.Text(), nullable=True))
    op.add_column("notes", sa.Column("pinned_at", sa.DateTime(), nullable=True))
    op.add_column("notes", sa.Column("edited_at", sa.DateTime(), nullable=True))
    op.create_table(
        "note_versions",
        sa.Column("version_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_note_versions")),
    )
    op.create_index(op.f("ix_note_versions_note_id"), "note_versions", ["note_id"], unique=False)
    op.create_index(op.f("ix_note_versions_subject_key"), "note_versions", ["subject_key"], unique=False)
    op.create_table(
        "note_mentions",
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("note_id", "staff_id", name=op.f("pk_note_mentions")),
    )
    op.create_index(op.f("ix_note_mentions_staff_id"), "note_mentions", ["staff_id"], unique=False)
    op.create_index(op.f("ix_note_mentions_subject_key"), "note_mentions", ["subject_key"], unique=False)
