"""The audit: who did what to what, in rows that each seal the one before.

Reads   `audit`   (state)
Writes  `audit`   one row per act; never changed, never removed

Each row's hash covers its content and the hash of the row before it, so that changing,
removing, inserting or moving a row shows: `audit_chain.examine` tells which. Besides, the database
itself refuses to change or delete rows (triggers that the revisions make). Details carry ids
and keys, never a contact value, so erasing a person leaves the audit whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spira.kernel.clock import Clock, iso
from spira.storage.state import State, state_table

AUDIT = state_table(
    "audit",
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("action", sa.String(100), nullable=False),
    sa.Column("subject", sa.String(500), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    stage="storage.audit",
)
BEFORE_THE_FIRST = "0" * 64
_POSTGRES_LOCK = 0x5350_4152  # one number for all who write audit rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One act."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which acts are looked for; None is all. `family` is an action's part before the dot; `until` is not included."""

    family: str | None = None
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_ACT = Sought()


def record(
    state: State, clock: Clock, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> int:
    """Add a row in a transaction of its own; its number."""
    with state.write() as connection:
        return record_in(connection, clock, actor=actor, action=action, subject=subject, detail=detail)


def record_in(
    connection: sa.Connection,
    clock: Clock,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Add a row within the caller's write, so that the act and its record are kept together; its number."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
    last = connection.execute(sa.select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)).first()
    row: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "at": clock.now(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
    }
    row["hash"] = hash_of(last.hash if last else BEFORE_THE_FIRST, row)
    connection.execute(sa.insert(AUDIT), row)
    return int(row["number"])


def latest(state: State, *, limit: int = 100, before: int | None = None, sought: Sought = EVERY_ACT) -> list[AuditRow]:
    """The last rows that are looked for, newest first; with `before`, only those with a smaller number."""
    chosen = sa.select(AUDIT).where(*_conditions(sought)).order_by(AUDIT.c.number.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(AUDIT.c.number < before)
    with state.read() as connection:
        return [_act(row) for row in connection.execute(chosen).mappings()]


def one(state: State, number: int) -> AuditRow | None:
    """The row of a number."""
    with state.read() as connection:
        row = connection.execute(sa.select(AUDIT).where(AUDIT.c.number == number)).mappings().first()
    return None if row is None else _act(row)


def kinds(state: State) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The families of all acts there are, and who did them."""
    with state.read() as connection:
        actions = connection.execute(sa.select(AUDIT.c.action).distinct()).scalars().all()
        actors = connection.execute(sa.select(AUDIT.c.actor).distinct()).scalars().all()
    return tuple(sorted({family_of(each) for each in actions})), tuple(sorted(actors))


def family_of(action: str) -> str:
    """What an action is about: its part before the dot."""
    return action.partition(".")[0]


def _conditions(sought: Sought) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if sought.family is not None:
        within = AUDIT.c.action.startswith(f"{sought.family}.", autoescape=True)
        found.append(sa.or_(AUDIT.c.action == sought.family, within))
    if sought.actor is not None:
        found.append(AUDIT.c.actor == sought.actor)
    if sought.subject is not None:
        found.append(AUDIT.c.subject == sought.subject)
    if sought.since is not None:
        found.append(AUDIT.c.at >= sought.since)
    if sought.until is not None:
        found.append(AUDIT.c.at < sought.until)
    return found


def _act(row: Mapping[Any, Any]) -> AuditRow:
    return AuditRow(**{**{key: row[key] for key in row if key != "hash"}, "detail": json.loads(row["detail"])})


def hash_of(before: str, row: Mapping[Any, Any]) -> str:
    """What a row's hash is when it stands behind a row whose hash is `before`."""
    said = [
        before,
        row["number"],
        iso(row["at"]),
        row["at"].microsecond,
        row["actor"],
        row["action"],
        row["subject"],
        row["detail"],
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
