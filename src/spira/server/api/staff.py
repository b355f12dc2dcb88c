"""`/api/staff`, `/api/units`: who may sign in, and the organisation they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from litestar import get, post
from litestar.params import JSONBody

from spira.kernel.clock import RealClock
from spira.kernel.errors import Conflict, NotFound
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import ADMINISTER, whole
from spira.server.sessions import make_link, make_token
from spira.server.staff import NewStaff, Staff, add_staff, by_email, end_access, get_staff, roles_of
from spira.server.tables import STAFF
from spira.server.wire import plain
from spira.unify import units


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Somebody to let in: their sign-in address, and for a new one name, roles and unit code."""

    email: str
    name: str = ""
    roles: list[str] = field(default_factory=lambda: ["administrator"])
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A one-time link; `url` is a path when the server's public address is not set."""

    email: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaver:
    """Somebody whose access is to end: their sign-in address."""

    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """A unit to add, under the unit with the code `parent`."""

    code: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A name for an API token."""

    name: str


def invite(core: AnyCore, wanted: Invitation) -> SignInLink:
    """A one-time sign-in link for somebody, who is let in first if they are new."""
    now = RealClock().now()
    staff = by_email(core.state, wanted.email) or _let_in(core, wanted)
    base = core.public_url.rstrip("/")
    return SignInLink(email=staff.email, url=f"{base}/sign-in/{make_link(core.state, staff.staff_id, at=now)}")


@post("/api/staff/sign-in-link", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def sign_in_link(core: Core, viewer: Asking, data: JSONBody[Invitation]) -> dict[str, Any]:
    """Make a one-time sign-in link; an unknown address becomes a new staff member first."""
    link = invite(core, data)
    audit(core, viewer, "staff.sign_in_link", link.email)
    return plain(link)  # type: ignore[no-any-return]


@get("/api/staff", opt=whole(ADMINISTER), sync_to_thread=True)
def list_staff(core: Core) -> dict[str, Any]:
    """Everybody who may sign in."""
    columns = (STAFF.c.staff_id, STAFF.c.email, STAFF.c.name, STAFF.c.roles, STAFF.c.unit_id, STAFF.c.disabled_at)
    with core.state.read() as connection:
        rows = connection.execute(sa.select(*columns).order_by(STAFF.c.created_at)).mappings().all()
    return {"staff": [plain({**row, "roles": row["roles"].split()}) for row in rows]}


@post("/api/staff/end", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def end_staff(core: Core, viewer: Asking, data: JSONBody[Leaver]) -> dict[str, str]:
    """End somebody's access: sessions, tokens and links end at once. Nobody ends their own."""
    staff = by_email(core.state, data.email)
    if staff is None:
        raise NotFound(f"nobody signs in as `{data.email}`", help="GET /api/staff lists everybody")
    if staff.staff_id == viewer.staff_id:
        raise Conflict("you can't end your own access", help="ask another administrator")
    end_access(core.state, staff.staff_id, at=RealClock().now())
    audit(core, viewer, "staff.end", staff.email)
    return {"email": staff.email}


@post("/api/tokens", status_code=201, sync_to_thread=True)
def new_token(core: Core, viewer: Asking, data: JSONBody[NewToken]) -> dict[str, str]:
    """Make a bearer token that may do what its maker may; it is shown this once."""
    get_staff(core.state, viewer.staff_id)
    token = make_token(core.state, viewer.staff_id, name=data.name, at=RealClock().now())
    audit(core, viewer, "staff.token", data.name)
    return {"name": data.name, "token": token}


@get("/api/units", sync_to_thread=True)
def list_units(core: Core) -> dict[str, Any]:
    """The organisation, oldest unit first."""
    return {"units": plain(units.all_units(core.state))}


@post("/api/units", opt=whole(ADMINISTER), status_code=201, sync_to_thread=True)
def add_unit(core: Core, viewer: Asking, data: JSONBody[NewUnit]) -> dict[str, Any]:
    """Add a unit; profiles find their store's unit by its code at the next full refresh."""
    known = {unit.code: unit.unit_id for unit in units.all_units(core.state)}
    parent_id = known.get(data.parent, -1) if data.parent else None
    made = units.add_unit(core.state, code=data.code, name=data.name, parent_id=parent_id)
    audit(core, viewer, "unit.add", made.code)
    return plain(made)  # type: ignore[no-any-return]


def _let_in(core: AnyCore, wanted: Invitation) -> Staff:
    unit_id = None
    if wanted.unit is not None:
        known = {unit.code: unit.unit_id for unit in units.all_units(core.state)}
        unit_id = known.get(wanted.unit)
        if unit_id is None:
            raise NotFound(f"there is no unit with the code `{wanted.unit}`", help="add it with POST /api/units")
    name = wanted.name or wanted.email.partition("@")[0]
    new = NewStaff(email=wanted.email, name=name, roles=roles_of(wanted.roles), unit_id=unit_id)
    return add_staff(core.state, new, at=RealClock().now())


ROUTES = [sign_in_link, list_staff, end_staff, new_token, list_units, add_unit]
