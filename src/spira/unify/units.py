"""Organisation units: the tree of brand, regions, stores and teams that people and staff belong to.

Reads   `units` (state)
Writes  `units` (state)

A store's unit carries the store's code, by which profiles find it. Staff see the profiles of
their unit and of every unit below it. The tree has no circle; a code is one unit's.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from spira.kernel.errors import Conflict, NotFound
from spira.storage.state import State, state_table

UNITS = state_table(
    "units",
    sa.Column("unit_id", sa.Integer, primary_key=True),
    sa.Column("code", sa.String, nullable=False, unique=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("parent_id", sa.Integer, nullable=True),
    stage="unify.units",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One part of the organisation; `code` is what events and traits call it."""

    unit_id: int
    code: str
    name: str
    parent_id: int | None


def add_unit(state: State, *, code: str, name: str, parent_id: int | None = None) -> Unit:
    """Add a unit under another one, or at the top."""
    code, name = code.strip(), name.strip()
    if not code or not name:
        raise Conflict("a unit needs a code and a name", help="the code is what events and traits call the store")
    if parent_id is not None and parent_id not in {unit.unit_id for unit in all_units(state)}:
        raise NotFound("there is no such unit to belong to")
    try:
        with state.write() as connection:
            made = connection.execute(sa.insert(UNITS).values(code=code, name=name, parent_id=parent_id))
    except sa.exc.IntegrityError:
        raise Conflict(f"there already is a unit with the code `{code}`") from None
    (unit_id,) = made.inserted_primary_key or (0,)
    return Unit(unit_id=int(unit_id), code=code, name=name, parent_id=parent_id)


def change_unit(state: State, unit_id: int, *, name: str, parent_id: int | None) -> Unit:
    """Give a unit another name or another place in the tree; Conflict for a place below itself."""
    known = {unit.unit_id: unit for unit in all_units(state)}
    if unit_id not in known or (parent_id is not None and parent_id not in known):
        raise NotFound("there is no such unit")
    if not name.strip():
        raise Conflict("a unit needs a name")
    if parent_id is not None and parent_id in below(state, unit_id):
        raise Conflict("a unit can't lie below itself", help="move it under a unit that is not one of its own")
    with state.write() as connection:
        chosen = sa.update(UNITS).where(UNITS.c.unit_id == unit_id)
        connection.execute(chosen.values(name=name.strip(), parent_id=parent_id))
    return Unit(unit_id=unit_id, code=known[unit_id].code, name=name.strip(), parent_id=parent_id)


def remove_unit(state: State, unit_id: int) -> None:
    """Take a unit out of the tree; Conflict when others lie below it. Whether anybody belongs to it is asked before."""
    if len(below(state, unit_id)) > 1:
        raise Conflict("other units lie below this one", help="move or remove those first")
    with state.write() as connection:
        connection.execute(sa.delete(UNITS).where(UNITS.c.unit_id == unit_id))


def all_units(state: State) -> tuple[Unit, ...]:
    """Every unit, oldest first."""
    with state.read() as connection:
        rows = connection.execute(sa.select(UNITS).order_by(UNITS.c.unit_id)).mappings().all()
    return tuple(Unit(**row) for row in rows)


def codes(state: State) -> tuple[tuple[int, str], ...]:
    """Unit ids with their codes, as profiles want them."""
    return tuple((unit.unit_id, unit.code) for unit in all_units(state))


def below(state: State, unit_id: int) -> frozenset[int]:
    """The unit itself and all units under it."""
    children: dict[int | None, list[int]] = {}
    for unit in all_units(state):
        children.setdefault(unit.parent_id, []).append(unit.unit_id)
    found: set[int] = set()
    waiting = [unit_id]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(children.get(each, ()))
    return frozenset(found)
