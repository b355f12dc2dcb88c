"""`/api/staff`: who may sign in, what they may do, and what ends with their access."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.kernel.clock import RealClock
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.viewer import Viewer
from spira.server import second_factor
from spira.server.auth import wall_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.powers import matrix
from spira.server.roles import ADMINISTER, whole
from spira.server.roster import StaffView, one, roster
from spira.server.sessions import make_link
from spira.server.staff import NewStaff, Staff, add_staff, by_email, change_staff, end_access, get_staff, roles_of
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
class Change:
    """What one of the staff is to be called, may do, and belongs to; a unit by its code, none for the whole brand."""

    name: str
    roles: list[str]
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """Something that can't be undone: the sign-in address of whom it is about, typed again."""

    confirm: str


def invite(core: AnyCore, wanted: Invitation) -> SignInLink:
    """A one-time sign-in link for somebody, who is let in first if they are new."""
    return _link(core, by_email(core.state, wanted.email) or _let_in(core, wanted))


def admit(core: AnyCore, viewer: Viewer, wanted: Invitation) -> SignInLink:
    """Let somebody new in, and a one-time link for them; Conflict when the address is taken."""
    staff = _let_in(core, wanted)
    audit(core, viewer, "staff.invite", staff.staff_id, roles=sorted(staff.roles), unit=staff.unit_id)
    return _link(core, staff)


def relink(core: AnyCore, viewer: Viewer, staff_id: str) -> SignInLink:
    """A new one-time link for somebody whose access has not ended."""
    staff = _working(core, staff_id)
    audit(core, viewer, "staff.sign_in_link", staff.staff_id)
    return _link(core, staff)


def change(core: AnyCore, viewer: Viewer, staff_id: str, wanted: Change) -> StaffView:
    """Another name, other roles or another unit."""
    staff = _working(core, staff_id)
    unit_id = unit_of(core, wanted.unit)
    new = NewStaff(email=staff.email, name=wanted.name, roles=roles_of(wanted.roles), unit_id=unit_id)
    changed = change_staff(core.state, staff_id, new)
    audit(core, viewer, "staff.change", staff_id, roles=sorted(changed.roles), unit=changed.unit_id)
    return one(core.state, staff_id, at=RealClock().now())


def finish(core: AnyCore, viewer: Viewer, staff_id: str, confirmed: Confirmed) -> StaffView:
    """End somebody's access."""
    staff = _working(core, staff_id)
    _confirmed(staff, confirmed)
    _not_oneself(viewer, staff)
    end_access(core.state, staff_id, at=RealClock().now())
    audit(core, viewer, "staff.end", staff_id)
    return one(core.state, staff_id, at=RealClock().now())


def reset(core: AnyCore, viewer: Viewer, staff_id: str, confirmed: Confirmed) -> StaffView:
    """Take somebody's second factor away, so that they can enrol a new telephone."""
    staff = _working(core, staff_id)
    _confirmed(staff, confirmed)
    second_factor.turn_off(core.state, staff_id)
    audit(core, viewer, "staff.second_factor_reset", staff_id)
    return one(core.state, staff_id, at=RealClock().now())


def unit_of(core: AnyCore, code: str | None) -> int | None:
    """The unit with a code; none for none."""
    if not code:
        return None
    known = {unit.code: unit.unit_id for unit in units.all_units(core.state)}
    if code not in known:
        raise NotFound(f"there is no unit with the code `{code}`", help="add it with POST /api/units")
    return known[code]


@post("/api/staff/sign-in-link", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def sign_in_link(core: Core, viewer: Asking, data: JSONBody[Invitation]) -> dict[str, Any]:
    """Make a one-time sign-in link; an unknown address becomes a new staff member first."""
    link = invite(core, data)
    known = by_email(core.state, data.email)
    audit(core, viewer, "staff.sign_in_link", known.staff_id if known else "")
    return plain(link)  # type: ignore[no-any-return]


@get("/api/staff", opt=whole(ADMINISTER), sync_to_thread=True)
def list_staff(
    core: Core,
    q: FromQuery[str] = "",
    standing: FromQuery[str | None] = None,
    role: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Everybody who may sign in, or could: `q` looks in names and addresses, `standing` is invited, active or ended."""
    return plain(roster(core.state, text=q, standing=standing or None, role=role or None))  # type: ignore[no-any-return]


@post("/api/staff", opt=whole(ADMINISTER), status_code=201, sync_to_thread=True)
def new_staff(core: Core, viewer: Asking, data: JSONBody[Invitation]) -> dict[str, Any]:
    """Invite somebody new; the answer has their one-time sign-in link, shown this once."""
    return plain(admit(core, viewer, data))  # type: ignore[no-any-return]


@get("/api/staff/{staff_id:str}", opt=whole(ADMINISTER), sync_to_thread=True)
def show_staff(request: Request[Any, Any, Any], core: Core, staff_id: FromPath[str]) -> dict[str, Any]:
    """One of the staff, with their sessions and tokens."""
    return plain(one(core.state, staff_id, at=wall_of(request).now()))  # type: ignore[no-any-return]


@post("/api/staff/{staff_id:str}", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def change_one(core: Core, viewer: Asking, staff_id: FromPath[str], data: JSONBody[Change]) -> dict[str, Any]:
    """Change somebody's name, roles and unit; someone must be left who may administer."""
    return plain(change(core, viewer, staff_id, data))  # type: ignore[no-any-return]


@post("/api/staff/{staff_id:str}/link", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def link_one(core: Core, viewer: Asking, staff_id: FromPath[str]) -> dict[str, Any]:
    """Make somebody a new one-time sign-in link; the one before no longer works."""
    return plain(relink(core, viewer, staff_id))  # type: ignore[no-any-return]


@post("/api/staff/{staff_id:str}/end", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def end_one(core: Core, viewer: Asking, staff_id: FromPath[str], data: JSONBody[Confirmed]) -> dict[str, Any]:
    """End somebody's access, with their address typed: sessions, tokens, links and second factor end at once."""
    return plain(finish(core, viewer, staff_id, data))  # type: ignore[no-any-return]


@post("/api/staff/{staff_id:str}/reset-second-factor", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def reset_one(core: Core, viewer: Asking, staff_id: FromPath[str], data: JSONBody[Confirmed]) -> dict[str, Any]:
    """Take somebody's second factor away, with their address typed; they enrol a new one."""
    return plain(reset(core, viewer, staff_id, data))  # type: ignore[no-any-return]


@get("/api/roles", opt=whole(ADMINISTER), sync_to_thread=True)
def list_roles(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What each role may do, and how clearly each sees people; read from the routes themselves."""
    return plain(matrix(request.app))  # type: ignore[no-any-return]


@post("/api/staff/end", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def end_staff(core: Core, viewer: Asking, data: JSONBody[Leaver]) -> dict[str, str]:
    """End somebody's access: sessions, tokens and links end at once. Nobody ends their own."""
    staff = by_email(core.state, data.email)
    if staff is None:
        raise NotFound(f"nobody signs in as `{data.email}`", help="GET /api/staff lists everybody")
    _not_oneself(viewer, staff)
    end_access(core.state, staff.staff_id, at=RealClock().now())
    audit(core, viewer, "staff.end", staff.staff_id)
    return {"email": staff.email}


def _link(core: AnyCore, staff: Staff) -> SignInLink:
    base = core.public_url.rstrip("/")
    secret = make_link(core.state, staff.staff_id, at=RealClock().now())
    return SignInLink(email=staff.email, url=f"{base}/sign-in/{secret}")


def _let_in(core: AnyCore, wanted: Invitation) -> Staff:
    name = wanted.name or wanted.email.partition("@")[0]
    new = NewStaff(email=wanted.email, name=name, roles=roles_of(wanted.roles), unit_id=unit_of(core, wanted.unit))
    return add_staff(core.state, new, at=RealClock().now())


def _working(core: AnyCore, staff_id: str) -> Staff:
    staff = get_staff(core.state, staff_id)
    if by_email(core.state, staff.email) is None:
        raise Conflict("their access has ended", help="invite them again with another address")
    return staff


def _confirmed(staff: Staff, confirmed: Confirmed) -> None:
    if confirmed.confirm.strip().lower() != staff.email:
        raise Conflict("the address that was typed is not theirs", help="type it as it stands on the page")


def _not_oneself(viewer: Viewer, staff: Staff) -> None:
    if staff.staff_id == viewer.staff_id:
        raise Conflict("you can't end your own access", help="ask another administrator")


ROUTES = [
    sign_in_link,
    list_staff,
    new_staff,
    show_staff,
    change_one,
    link_one,
    end_one,
    reset_one,
    list_roles,
    end_staff,
]
