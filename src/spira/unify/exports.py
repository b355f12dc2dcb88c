"""Exports: each list of people that leaves the house, why, and how many people that were in a calendar year.

Reads   `data_exports`, `exported_people` (state), `identifiers`
Writes  `data_exports` (state)      one row per list: who took it, of how many people, in clear or not, why
        `exported_people` (state)   who was in any of a year's lists, by HMAC, so that each counts once
        `shared_people` (state)     who was in a list for somebody else, by recipient (`unify.recipients`)

An export's id is the mark that every row of a list with contact values carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from spira.kernel.clock import Clock, local
from spira.kernel.ids import new_id
from spira.kernel.settings import RightsSettings
from spira.storage.state import State, in_parts, state_table, upsert
from spira.storage.warehouse import Warehouse
from spira.unify import recipients
from spira.unify.recipients import Recipient

EXPORTS = state_table(
    "data_exports",
    sa.Column("export_id", sa.String(32), primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False, index=True),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("first_this_year", sa.Integer, nullable=False),
    sa.Column("in_clear", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("recipient", sa.String(80), nullable=False, server_default=""),
    sa.Column("country", sa.String(2), nullable=False, server_default=""),
    stage="unify.exports",
    holds="which lists of people were taken, by whom and why",
)
EXPORTED = state_table(
    "exported_people",
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("subject_key", sa.String(32), primary_key=True),
    stage="unify.exports",
    person="subject_key",
    holds="who was in a list that left the house, by calendar year",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One list that was taken."""

    export_id: str = field(metadata={"help": "its id, the mark in its rows"})
    at: datetime = field(metadata={"help": "when"})
    actor: str = field(metadata={"help": "by whom, an id of staff"})
    what: str = field(metadata={"help": "an audience, picked people, or people in bulk"})
    people: int = field(metadata={"help": "how many people were in it"})
    in_clear: bool = field(metadata={"help": "whether contact values were in it"})
    reason: str = field(metadata={"help": "why"})
    recipient: str = field(metadata={"help": "who else got it; empty for a list that stays in the house"})
    country: str = field(metadata={"help": "where they are"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What left in a calendar year."""

    year: int = field(metadata={"help": "the year, in the workspace's zone"})
    exports: int = field(metadata={"help": "how many lists"})
    people: int = field(metadata={"help": "how many different people were in them"})
    in_clear: int = field(metadata={"help": "how many of the lists had contact values"})


def record(
    state: State,
    lane: Warehouse,
    clock: Clock,
    *,
    zone: str,
    actor: str,
    what: str,
    profiles: Sequence[int],
    in_clear: bool,
    reason: str,
    to: Recipient | None = None,
    sensitive: bool = False,
    rights: RightsSettings | None = None,
) -> str:
    """Write a list down before it leaves; its mark. `to` is who else gets it, and `rights` says how much may go abroad.

    Conflict where it is too much: then nothing is written down, and nothing may leave.
    """
    at = clock.now()
    year = local(at, zone).year
    keys = sorted(key for (key,) in lane.query(_KEYS, {"profiles": list(profiles)}))
    made = new_id("exp")
    if to is not None and rights is not None:
        recipients.check(state, rights, to, keys, sensitive=sensitive, at=at, zone=zone)
    with state.write() as connection:
        before = connection.execute(_counted(year)).scalar_one()
        for lot in in_parts(keys):
            upsert(connection, EXPORTED, [{"year": year, "subject_key": key} for key in lot], replace=())
        first = connection.execute(_counted(year)).scalar_one() - before
        row = {"at": at, "year": year, "actor": actor, "what": what, "people": len(profiles), "reason": reason}
        fresh: dict[str, object] = {"export_id": made, "first_this_year": first, "in_clear": in_clear}
        fresh |= {"recipient": to.name if to else "", "country": to.country if to else ""}
        if to is not None:
            recipients.note(connection, to, keys, year=year, export_id=made, sensitive=sensitive)
        connection.execute(sa.insert(EXPORTS).values(**row, **fresh))
    return made


def latest(state: State, *, limit: int) -> list[Export]:
    """The last lists that were taken, newest first."""
    columns = [EXPORTS.c[name] for name in Export.__dataclass_fields__]
    asked = sa.select(*columns).order_by(EXPORTS.c.at.desc(), EXPORTS.c.export_id).limit(limit)
    with state.read() as connection:
        return [Export(**row) for row in connection.execute(asked).mappings()]


def years(state: State) -> list[Year]:
    """What left in each calendar year, the latest first."""
    clear = sa.func.sum(sa.case((EXPORTS.c.in_clear.is_(True), 1), else_=0))
    asked = sa.select(
        EXPORTS.c.year,
        sa.func.count().label("exports"),
        sa.func.sum(EXPORTS.c.first_this_year).label("people"),
        clear.label("in_clear"),
    ).group_by(EXPORTS.c.year)
    with state.read() as connection:
        rows = connection.execute(asked.order_by(EXPORTS.c.year.desc())).all()
    return [
        Year(year=row.year, exports=row.exports, people=int(row.people), in_clear=int(row.in_clear)) for row in rows
    ]


def _counted(year: int) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(EXPORTED).where(EXPORTED.c.year == year)


_KEYS = "select subject_key from identifiers where list_contains($profiles::bigint[], subject_id)"
