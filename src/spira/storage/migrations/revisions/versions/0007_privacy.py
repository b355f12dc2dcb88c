"""Requests of people by right; the audit is only added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


_REFUSED = "the audit is only added to"
_SQLITE = f"create trigger audit_no_{{act}} before {{act}} on audit begin select raise(abort, '{_REFUSED}'); end"
_FUNCTION = f"""
create or replace function audit_only_added() returns trigger language plpgsql
as $$ begin raise exception '{_REFUSED}'; end $$
"""
_POSTGRES = (
    _FUNCTION,
    "create trigger audit_no_update before update or delete on audit for each row execute function audit_only_added()",
    "create trigger audit_no_delete before truncate on audit for each statement execute function audit_only_added()",
)


def upgrade() -> None:
    """New tables, and triggers on the audit; its rows were chained from the first revision on."""
    _rights()
    _restrictions()
    _exports()
    statements = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _sqlite()
    for statement in statements:
        op.execute(statement)


def _sqlite() -> tuple[str, ...]:
    return tuple(_SQLITE.format(act=act) for act in ("update", "delete"))


def _rights() -> None:
    """What people ask for by right, and what they wrote with it."""
    op.create_table(
        "rights_requests",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("right", sa.String(length=16), nullable=False),
        sa.Column("law", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("asked_key", sa.String(length=32), nullable=False),
        sa.Column("filed_by", sa.String(length=64), nullable=False),
        sa.Column("filed_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("receipt", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_rights_requests")),
    )
    op.create_index(op.f("ix_rights_requests_asked_key"), "rights_requests", ["asked_key"], unique=False)
    op.create_index(op.f("ix_rights_requests_status_due_at"), "rights_requests", ["status", "due_at"], unique=False)
    op.create_table(
        "rights_details",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_rights_details")),
    )
    op.create_index(op.f("ix_rights_details_subject_key"), "rights_details", ["subject_key"], unique=False)


def _restrictions() -> None:
    """Whose data is kept and not used."""
    op.create_table(
        "restrictions",
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", name=op.f("pk_restrictions")),
    )


def _exports() -> None:
    """Which lists of people left, and who was in them."""
    op.create_table(
        "data_exports",
        sa.Column("export_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("first_this_year", sa.Integer(), nullable=False),
        sa.Column("in_clear", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_data_exports")),
    )
    op.create_index(op.f("ix_data_exports_at"), "data_exports", ["at"], unique=False)
    op.create_table(
        "exported_people",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("year", "subject_key", name=op.f("pk_exported_people")),
    )
