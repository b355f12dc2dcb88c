"""The state tables of people who sign in: staff, their sessions, tokens, links and second factors, failed attempts.

Secrets are stored by their SHA-256 only; passwords by argon2; what makes the codes of a second
factor is sealed with the workspace's keys. Nothing here is about a consumer.
"""

from __future__ import annotations

import sqlalchemy as sa

from spira.storage.state import state_table

STAGE = "server.auth"

STAFF = state_table(
    "staff",
    sa.Column("staff_id", sa.String, primary_key=True),
    sa.Column("email", sa.String, nullable=False, unique=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("roles", sa.String, nullable=False),
    sa.Column("unit_id", sa.Integer, nullable=True),
    sa.Column("password_hash", sa.String, nullable=True),
    sa.Column("language", sa.String, nullable=True),
    sa.Column("theme", sa.String, nullable=True),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("disabled_at", sa.DateTime, nullable=True),
    sa.Column("last_seen_at", sa.DateTime, nullable=True),
    stage=STAGE,
    holds="the name and sign-in address of staff",
)

SESSIONS = state_table(
    "sessions",
    sa.Column("session_hash", sa.String, primary_key=True),
    sa.Column("staff_id", sa.String, nullable=False, index=True),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("expires_at", sa.DateTime, nullable=False, index=True),
    sa.Column("agent", sa.String(100), nullable=True),
    sa.Column("origin", sa.String(100), nullable=True),
    sa.Column("last_seen_at", sa.DateTime, nullable=True),
    stage=STAGE,
    holds="the browser and the shortened network address of staff, while they are signed in",
)

TOKENS = state_table(
    "tokens",
    sa.Column("token_hash", sa.String, primary_key=True),
    sa.Column("staff_id", sa.String, nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("expires_at", sa.DateTime, nullable=True),
    sa.Column("last_used_at", sa.DateTime, nullable=True),
    sa.Column("scope", sa.Text, nullable=True),
    stage=STAGE,
)

# Who gave the right password and not yet the code; it opens the page that asks for the code, and nothing else.
HALF_SESSIONS = state_table(
    "half_sessions",
    sa.Column("half_hash", sa.String, primary_key=True),
    sa.Column("staff_id", sa.String, nullable=False),
    sa.Column("expires_at", sa.DateTime, nullable=False),
    stage=STAGE,
)

# Without `confirmed_at` it was begun and is not asked for; `last_step` is the latest whose code was used.
SECOND_FACTORS = state_table(
    "second_factors",
    sa.Column("staff_id", sa.String, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("confirmed_at", sa.DateTime, nullable=True),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    stage=STAGE,
)

RECOVERY_CODES = state_table(
    "recovery_codes",
    sa.Column("code_hash", sa.String, primary_key=True),
    sa.Column("staff_id", sa.String, nullable=False, index=True),
    stage=STAGE,
)

SIGN_IN_LINKS = state_table(
    "sign_in_links",
    sa.Column("link_hash", sa.String, primary_key=True),
    sa.Column("staff_id", sa.String, nullable=False),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("expires_at", sa.DateTime, nullable=False),
    stage=STAGE,
)

SIGN_IN_FAILURES = state_table(
    "sign_in_failures",
    sa.Column("failure_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("origin", sa.String, nullable=False, index=True),
    sa.Column("at", sa.DateTime, nullable=False),
    stage=STAGE,
    holds="where failed sign-ins came from, by hash, for 15 minutes",
)
