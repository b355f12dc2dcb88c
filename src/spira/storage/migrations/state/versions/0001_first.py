"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_table(
        "vault",
        sa.Column("vault_key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_with", sa.Integer(), nullable=False),
        sa.Column("last4", sa.String(length=16), nullable=True),
        sa.Column("initial", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("vault_key", name=op.f("pk_vault")),
    )
    op.create_index(op.f("ix_vault_kind_initial"), "vault", ["kind", "initial"], unique=False)
    op.create_index(op.f("ix_vault_kind_last4"), "vault", ["kind", "last4"], unique=False)
