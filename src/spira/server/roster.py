"""The roster: everybody who may sign in, how it stands with each, and the tree of units with their people.

Reads   `staff`, `sessions`, `tokens`, `second_factors`, `units` (state), `profiles`, `unit_codes`

Nothing of a password, session or token is in it but whether there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from spira.kernel.errors import NotFound
from spira.kernel.viewer import Role
from spira.server.sessions import SessionView, TokenView, sessions_of, tokens_of
from spira.server.staff import roles_of
from spira.server.tables import SECOND_FACTORS, STAFF
from spira.storage.state import State
from spira.storage.warehouse import Warehouse
from spira.unify.profiles import unplaced
from spira.unify.units import Unit, all_units

Standing = Literal["invited", "active", "ended"]
STANDINGS: tuple[Standing, ...] = ("active", "invited", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One who may sign in, or could."""

    staff_id: str = field(metadata={"help": "names them in addresses and in the audit"})
    email: str = field(metadata={"help": "what they sign in with"})
    name: str = field(metadata={"help": "what they are called"})
    roles: tuple[Role, ...] = field(metadata={"help": "what they may do"})
    unit_id: int | None = field(metadata={"help": "the unit they belong to; none is the whole brand"})
    unit: str | None = field(metadata={"help": "its name"})
    state: Standing = field(metadata={"help": "invited until a password is set; ended when access was taken away"})
    second_factor: bool = field(metadata={"help": "whether a code is asked for when they sign in"})
    created_at: datetime = field(metadata={"help": "when they were invited"})
    last_seen_at: datetime | None = field(metadata={"help": "when they last used the console, to the minute"})
    disabled_at: datetime | None = field(metadata={"help": "when their access ended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The list, and how many there are of each standing."""

    staff: tuple[StaffRow, ...] = field(metadata={"help": "those who were asked for, by name"})
    counts: Mapping[str, int] = field(metadata={"help": "everybody, by standing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """One of the staff with what ends when their access does."""

    person: StaffRow = field(metadata={"help": "who it is"})
    sessions: tuple[SessionView, ...] = field(metadata={"help": "where they are signed in"})
    tokens: tuple[TokenView, ...] = field(metadata={"help": "programs that act for them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One unit, in the order of the tree."""

    unit_id: int = field(metadata={"help": "its number"})
    code: str = field(metadata={"help": "what events and traits call it"})
    name: str = field(metadata={"help": "what staff call it"})
    parent_id: int | None = field(metadata={"help": "the unit above"})
    depth: int = field(metadata={"help": "how many units are above"})
    below: int = field(metadata={"help": "how many units are directly below"})
    people: int = field(metadata={"help": "profiles placed here as of the last refresh"})
    people_below: int = field(metadata={"help": "profiles placed here and in all units below"})
    staff: int = field(metadata={"help": "staff who belong here and may sign in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTree:
    """The organisation."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    units: tuple[UnitRow, ...] = field(metadata={"help": "each unit after the one above it"})
    people_of_none: int = field(metadata={"help": "profiles placed in no unit, which only staff of the brand see"})
    staff_of_none: int = field(metadata={"help": "staff of the whole brand"})
    unplaced: tuple[str, ...] = field(
        metadata={"help": "codes whose people the next refresh places, since their unit was added or removed"}
    )


def roster(state: State, *, text: str = "", standing: str | None = None, role: str | None = None) -> Roster:
    """Everybody, by name; `text` is looked for in names and addresses."""
    everybody = _rows(state)
    sought = text.strip().casefold()
    found = (
        each
        for each in everybody
        if (sought in each.name.casefold() or sought in each.email)
        and standing in (None, each.state)
        and (role is None or role in each.roles)
    )
    counts = Counter(each.state for each in everybody)
    return Roster(
        staff=tuple(sorted(found, key=lambda each: (each.state == "ended", each.name.casefold(), each.staff_id))),
        counts={each: counts[each] for each in STANDINGS},
    )


def one(state: State, staff_id: str, *, at: datetime) -> StaffView:
    """One of the staff; NotFound when there is none."""
    found = _rows(state, STAFF.c.staff_id == staff_id)
    if not found:
        raise NotFound("there is no such staff member", help="GET /api/staff lists everybody")
    return StaffView(person=found[0], sessions=sessions_of(state, staff_id, at=at), tokens=tokens_of(state, staff_id))


def unit_tree(state: State, lane: Warehouse, *, as_of: datetime) -> UnitTree:
    """The units, each after the one above it, with how many people and staff are there."""
    placed = {row["unit_id"]: int(row["people"]) for row in lane.rows(_PLACED)}
    working = Counter(each.unit_id for each in _rows(state, STAFF.c.disabled_at.is_(None)))
    children: dict[int | None, list[Unit]] = {}
    for unit in all_units(state):
        children.setdefault(unit.parent_id, []).append(unit)
    found: list[UnitRow] = []

    def walk(unit: Unit, depth: int) -> int:
        place, own = len(found), placed.get(unit.unit_id, 0)
        under = sorted(children.get(unit.unit_id, ()), key=lambda each: each.code)
        row = UnitRow(
            unit_id=unit.unit_id,
            code=unit.code,
            name=unit.name,
            parent_id=unit.parent_id,
            depth=depth,
            below=len(under),
            people=own,
            people_below=own,
            staff=working[unit.unit_id],
        )
        found.append(row)
        total = own + sum(walk(each, depth + 1) for each in under)
        found[place] = replace(row, people_below=total)
        return total

    for top in sorted(children.get(None, ()), key=lambda each: each.code):
        walk(top, 0)
    known = {each.unit_id for each in found}
    nowhere = sum(count for unit_id, count in placed.items() if unit_id not in known)
    return UnitTree(
        as_of=as_of,
        units=tuple(found),
        people_of_none=nowhere,
        staff_of_none=working[None],
        unplaced=unplaced(lane, ((each.unit_id, each.code) for each in found)),
    )


def _rows(state: State, *conditions: sa.ColumnElement[bool]) -> list[StaffRow]:
    names = {unit.unit_id: unit.name for unit in all_units(state)}
    joined = STAFF.outerjoin(SECOND_FACTORS, SECOND_FACTORS.c.staff_id == STAFF.c.staff_id)
    query = sa.select(STAFF, SECOND_FACTORS.c.confirmed_at).select_from(joined).where(*conditions)
    with state.read() as connection:
        rows = connection.execute(query.order_by(STAFF.c.created_at)).mappings().all()
    return [
        StaffRow(
            staff_id=row["staff_id"],
            email=row["email"],
            name=row["name"],
            roles=roles_of(row["roles"].split()),
            unit_id=row["unit_id"],
            unit=names.get(row["unit_id"]),
            state="ended" if row["disabled_at"] else "active" if row["password_hash"] else "invited",
            second_factor=row["confirmed_at"] is not None,
            created_at=row["created_at"],
            last_seen_at=row["last_seen_at"],
            disabled_at=row["disabled_at"],
        )
        for row in rows
    ]


_PLACED = "select unit_id, count(*) as people from profiles group by unit_id"
