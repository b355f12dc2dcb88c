"""Who else gets people's data, and what recipients have to be told; incidents say how often they were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two new tables, two columns of the lists that left, one of incidents."""
    op.create_table(
        "shared_people",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("export_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("year", "recipient", "subject_key", name=op.f("pk_shared_people")),
    )
    op.create_index(op.f("ix_shared_people_subject_key"), "shared_people", ["subject_key"], unique=False)
    op.create_table(
        "recipient_duties",
        sa.Column("duty_id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("export_id", sa.String(length=32), nullable=False),
        sa.Column("filed_at", sa.DateTime(), nullable=False),
        sa.Column("told_at", sa.DateTime(), nullable=True),
        sa.Column("told_by", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("duty_id", name=op.f("pk_recipient_duties")),
    )
    op.create_index(op.f("ix_recipient_duties_told_at"), "recipient_duties", ["told_at"], unique=False)
    op.add_column("data_exports", sa.Column("recipient", sa.String(length=80), server_default="", nullable=False))
    op.add_column("data_exports", sa.Column("country", sa.String(length=2), server_default="", nullable=False))
    op.add_column("incidents", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
