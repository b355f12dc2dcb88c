"""`/api/units`: the organisation, and what may be changed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.kernel.errors import Conflict, NotFound
from spira.kernel.viewer import Viewer
from spira.server.api.staff import unit_of
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.roles import ADMINISTER, whole
from spira.server.roster import UnitTree, unit_tree
from spira.server.wire import plain
from spira.unify import units


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """A unit to add, under the unit with the code `parent`."""

    code: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedUnit:
    """What a unit is to be called, and the code of the unit above it; none is the top."""

    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedUnit:
    """The code of the unit that is to go, typed again."""

    confirm: str


def tree(core: AnyCore) -> UnitTree:
    """The units with their people and staff."""
    return unit_tree(core.state, core.lane(), as_of=as_of(core))


def add(core: AnyCore, viewer: Viewer, new: NewUnit) -> units.Unit:
    """Add a unit."""
    made = units.add_unit(core.state, code=new.code, name=new.name, parent_id=unit_of(core, new.parent))
    audit(core, viewer, "unit.add", made.code)
    return made


def change(core: AnyCore, viewer: Viewer, code: str, wanted: ChangedUnit) -> units.Unit:
    """Rename or move a unit."""
    unit_id = unit_of(core, code) or -1
    made = units.change_unit(core.state, unit_id, name=wanted.name, parent_id=unit_of(core, wanted.parent))
    audit(core, viewer, "unit.change", code, parent=wanted.parent)
    return made


def remove(core: AnyCore, viewer: Viewer, code: str, confirmed: ConfirmedUnit) -> None:
    """Remove a unit that nobody belongs to."""
    found = next((each for each in tree(core).units if each.code == code), None)
    if found is None:
        raise NotFound(f"there is no unit with the code `{code}`")
    if confirmed.confirm.strip() != code:
        raise Conflict("the code that was typed is not the unit's", help="type it as it stands on the page")
    if found.people or found.staff or found.below:
        raise Conflict(
            f"unit `{code}` is not empty: it has {found.people} people, {found.staff} staff and {found.below} units",
            help="move its staff and units first; people leave it when their store belongs elsewhere",
        )
    units.remove_unit(core.state, found.unit_id)
    audit(core, viewer, "unit.remove", code)


@get("/api/units", sync_to_thread=True)
def list_units(core: Core) -> dict[str, Any]:
    """The organisation, oldest unit first."""
    return {"units": plain(units.all_units(core.state))}


@get("/api/units/tree", opt=whole(ADMINISTER), sync_to_thread=True)
def show_tree(core: Core) -> dict[str, Any]:
    """The organisation as a tree, with how many people and staff are in each unit."""
    return plain(tree(core))  # type: ignore[no-any-return]


@post("/api/units", opt=whole(ADMINISTER), status_code=201, sync_to_thread=True)
def add_unit(core: Core, viewer: Asking, data: JSONBody[NewUnit]) -> dict[str, Any]:
    """Add a unit; profiles find their store's unit by its code at the next refresh."""
    return plain(add(core, viewer, data))  # type: ignore[no-any-return]


@post("/api/units/{code:str}", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def change_unit(core: Core, viewer: Asking, code: FromPath[str], data: JSONBody[ChangedUnit]) -> dict[str, Any]:
    """Rename a unit or move it; staff see by the new place at once, since a unit brings all units below it."""
    return plain(change(core, viewer, code, data))  # type: ignore[no-any-return]


@post("/api/units/{code:str}/remove", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def remove_unit(core: Core, viewer: Asking, code: FromPath[str], data: JSONBody[ConfirmedUnit]) -> dict[str, str]:
    """Remove a unit without people, staff and units below, with its code typed."""
    remove(core, viewer, code, data)
    return {"code": code}


ROUTES = [list_units, show_tree, add_unit, change_unit, remove_unit]
