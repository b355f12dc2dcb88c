"""What is remembered of alerts: when each began and ended, and who has been told.

Reads   `alerts`, `alert_notices`   (state)
Writes  `alerts`          one row each time that something went wrong
        `alert_notices`   one row for each thing to be told by each way: that it began, that it ended

A notice is written before it is sent and marked after it, so a restart forgets none. One who dies
between the sending and the mark sends it again; its id is the same, by which a receiver can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from spira.kernel.durations import back_off
from spira.kernel.ids import new_id
from spira.storage.state import State, state_table, upsert

AlertKind = Literal["silent", "refused", "damage", "stuck", "incident", "request", "destination"]
Phase = Literal["began", "ended"]
Way = Literal["email", "webhook"]

KEPT = timedelta(days=90)
GIVE_UP = timedelta(days=3)  # what nobody could be told by then is told by the page alone
MOST = 100  # notices of one letter
WITHOUT_END = frozenset({"damage"})  # what is lost stays so; that it is shown no longer is no news

ALERTS = state_table(
    "alerts",
    sa.Column("alert_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("began_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    stage="engage.alerts",
)
ALERT_NOTICES = state_table(
    "alert_notices",
    sa.Column("alert_id", sa.String(32), primary_key=True),
    sa.Column("phase", sa.String(8), primary_key=True),
    sa.Column("way", sa.String(8), primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due_at", sa.DateTime),
    sa.Column("sent_at", sa.DateTime),
    sa.Column("fault", sa.Text),
    stage="engage.alerts",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong now. `subject` says of what: a source, a place in a log, a stage."""

    kind: AlertKind
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """That somebody was told, or is to be."""

    phase: Phase = field(metadata={"help": "began or ended"})
    way: Way = field(metadata={"help": "email or webhook"})
    tries: int = field(metadata={"help": "how often it was tried"})
    due_at: datetime | None = field(metadata={"help": "when it is tried next; none when it is sent or given up"})
    sent_at: datetime | None = field(metadata={"help": "when it was taken"})
    fault: str | None = field(metadata={"help": "why the latest try failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that went wrong."""

    alert_id: str = field(metadata={"help": "its id"})
    kind: AlertKind = field(metadata={"help": "silent, refused, damage, stuck, incident, request or destination"})
    subject: str = field(metadata={"help": "the source, the place in a log, or the stage; else its name or id"})
    detail: Mapping[str, Any] = field(metadata={"help": "figures of it, as they were when it began"})
    began_at: datetime = field(metadata={"help": "when it was noticed"})
    ended_at: datetime | None = field(metadata={"help": "when it was over; none while it lasts"})
    told: tuple[Told, ...] = field(metadata={"help": "who has been told, or is to be"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell by one way."""

    alert: Alert
    phase: Phase
    tries: int


def open_now(state: State) -> frozenset[tuple[str, str]]:
    """Kind and subject of every alert that has not ended."""
    with state.read() as connection:
        rows = connection.execute(sa.select(ALERTS.c.kind, ALERTS.c.subject).where(ALERTS.c.ended_at.is_(None)))
        return frozenset((row.kind, row.subject) for row in rows)


def open_since(state: State, kind: AlertKind) -> dict[str, datetime]:
    """Of a kind, the subject of every alert that has not ended, with when it began."""
    mine = sa.and_(ALERTS.c.kind == kind, ALERTS.c.ended_at.is_(None))
    with state.read() as connection:
        rows = connection.execute(sa.select(ALERTS.c.subject, ALERTS.c.began_at).where(mine))
        return {row.subject: row.began_at for row in rows}


def settle(
    state: State, found: Sequence[Trouble], *, kinds: Collection[AlertKind], ways: Collection[Way], at: datetime
) -> int:
    """Make the open alerts of these kinds what was found, and write the notices that this makes due.

    What lasts and somebody was never told of by a way that is there now is told by it too. How many
    alerts began or ended.
    """
    wanted = {(each.kind, each.subject): each for each in found}
    with state.read() as connection:
        known = connection.execute(sa.select(ALERTS).where(ALERTS.c.ended_at.is_(None))).all()
        mine = ALERT_NOTICES.c.alert_id.in_([row.alert_id for row in known])
        told = {(row.alert_id, row.way) for row in connection.execute(sa.select(ALERT_NOTICES).where(mine))}
    there = {(row.kind, row.subject) for row in known}
    over = [row for row in known if row.kind in kinds and (row.kind, row.subject) not in wanted]
    fresh = [_row(each, at) for key, each in wanted.items() if key not in there]
    ended = {row.alert_id for row in over}
    lasting = [row.alert_id for row in known if row.alert_id not in ended] + [row["alert_id"] for row in fresh]
    ends = [row.alert_id for row in over if row.kind not in WITHOUT_END]
    notices = [_notice(each, "began", way, at) for each in lasting for way in ways if (each, way) not in told]
    notices += [_notice(each, "ended", way, at) for each in ends for way in ways if (each, way) in told]
    if fresh or over or notices:  # a tick in which nothing happens writes nothing
        with state.write() as connection:
            upsert(connection, ALERTS, fresh)
            connection.execute(sa.update(ALERTS).where(ALERTS.c.alert_id.in_(sorted(ended))).values(ended_at=at))
            upsert(connection, ALERT_NOTICES, notices, replace=())
            _forget(connection, at)
    return len(over) + len(fresh)


def due(state: State, way: Way, *, at: datetime) -> list[Notice]:
    """What is to be told by a way now, in the order in which it happened."""
    mine = sa.and_(ALERT_NOTICES.c.way == way, ALERT_NOTICES.c.due_at <= at)
    happened = sa.case((ALERT_NOTICES.c.phase == "began", ALERTS.c.began_at), else_=ALERTS.c.ended_at)
    asked = (
        sa.select(ALERTS, ALERT_NOTICES.c.phase, ALERT_NOTICES.c.tries)
        .join(ALERT_NOTICES, ALERT_NOTICES.c.alert_id == ALERTS.c.alert_id)
        .where(mine)
        .order_by(happened, ALERT_NOTICES.c.phase, ALERTS.c.alert_id)
        .limit(MOST)
    )
    with state.read() as connection:
        return [
            Notice(alert=_alert(row, ()), phase=row.phase, tries=row.tries) for row in connection.execute(asked).all()
        ]


def mark(state: State, way: Way, notices: Sequence[Notice], *, at: datetime, fault: str | None) -> None:
    """Write down that notices were sent, or why they were not; then they are tried again by and by, for three days."""
    with state.write() as connection:
        for each in notices:
            tries = each.tries + 1
            values: dict[str, Any] = {"tries": tries, "due_at": None, "sent_at": at, "fault": None}
            if fault is not None:
                happened = (each.alert.ended_at if each.phase == "ended" else None) or each.alert.began_at
                again = None if at - happened > GIVE_UP else at + back_off(tries)
                values |= {"due_at": again, "sent_at": None, "fault": fault[:500]}
            mine = sa.and_(
                ALERT_NOTICES.c.alert_id == each.alert.alert_id,
                ALERT_NOTICES.c.phase == each.phase,
                ALERT_NOTICES.c.way == way,
            )
            connection.execute(sa.update(ALERT_NOTICES).where(mine).values(values))


def latest(state: State, *, limit: int) -> tuple[Alert, ...]:
    """The latest alerts, those that last before those that are over, with who was told."""
    asked = sa.select(ALERTS).order_by(ALERTS.c.ended_at.is_not(None), ALERTS.c.began_at.desc(), ALERTS.c.alert_id)
    with state.read() as connection:
        rows = connection.execute(asked.limit(limit)).all()
        mine = ALERT_NOTICES.c.alert_id.in_([row.alert_id for row in rows])
        order = (ALERT_NOTICES.c.phase, ALERT_NOTICES.c.way)
        told: dict[str, list[Told]] = {}
        for each in connection.execute(sa.select(ALERT_NOTICES).where(mine).order_by(*order)).mappings().all():
            row = dict(each)
            told.setdefault(row.pop("alert_id"), []).append(Told(**row))
    return tuple(_alert(row, tuple(told.get(row.alert_id, ()))) for row in rows)


def _notice(alert: str, phase: Phase, way: Way, at: datetime) -> dict[str, Any]:
    notice = {"alert_id": alert, "phase": phase, "way": way}
    return {**notice, "tries": 0, "due_at": at, "sent_at": None, "fault": None}


def _forget(connection: sa.Connection, at: datetime) -> None:
    old = sa.select(ALERTS.c.alert_id).where(ALERTS.c.ended_at < at - KEPT)
    connection.execute(sa.delete(ALERT_NOTICES).where(ALERT_NOTICES.c.alert_id.in_(old)))
    connection.execute(sa.delete(ALERTS).where(ALERTS.c.ended_at < at - KEPT))


def _row(trouble: Trouble, at: datetime) -> dict[str, Any]:
    return {
        "alert_id": new_id("alert"),
        "kind": trouble.kind,
        "subject": trouble.subject[:200],
        "detail": msgspec.json.encode(trouble.detail).decode(),
        "began_at": at,
        "ended_at": None,
    }


def _alert(row: sa.Row[Any], told: tuple[Told, ...]) -> Alert:
    return Alert(
        alert_id=row.alert_id,
        kind=row.kind,
        subject=row.subject,
        detail=msgspec.json.decode(row.detail),
        began_at=row.began_at,
        ended_at=row.ended_at,
        told=told,
    )
