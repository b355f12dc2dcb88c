"""`/api/links`: short links for posters, posts and cards, their QR codes, and what came of them."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.collect import links, qr
from spira.collect.links import Link, NewLink
from spira.collect.visits import onward
from spira.kernel.clock import midnight
from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Role, Viewer
from spira.measure import link_report
from spira.measure.link_report import NOTHING, Led, LinkCounts, VisitDay
from spira.server.api.quarantine import day_of
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import LINK, PEOPLE, RUN
from spira.server.staff import names as staff_names
from spira.server.wire import plain
from spira.unify import people
from spira.unify.portrait import PersonRow, says
from spira.unify.units import Unit, all_units

LIST = 50
SEE_ALL: tuple[Role, ...] = ("administrator", "operator", "analyst", "data_engineer", "privacy_officer")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One link in the list."""

    link: Link = says("the link")
    address: str = says("what is printed, or posted")
    unit: str | None = says("the name of the unit it hangs in")
    staff: str | None = says("the name of the member of staff whose card it is")
    leads: bool = says("whether it leads anywhere now")
    counts: LinkCounts = says("what came of it")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkList:
    """The links that the one who asks may see."""

    as_of: datetime = says("the instant the counts speak of")
    own: bool = says("whether these are only the cards of the one who asks")
    totals: dict[str, int] = says("how many lead somewhere, and how many are over")
    links: tuple[LinkRow, ...] = says("the links, newest first")
    next: str | None = says("where the next page begins, as `before`; none on the last")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """Everything that the page of one link shows."""

    as_of: datetime = says("the instant the counts speak of")
    row: LinkRow = says("the link")
    onward: str = says("where its visitors arrive, with what is appended, the visit apart")
    days: tuple[VisitDay, ...] = says("the last 30 days, oldest first")
    led: Led = says("how many people it led here first, and last")
    first: tuple[PersonRow, ...] = says("the latest people whose first touch it was")
    last: tuple[PersonRow, ...] = says("the latest people whose latest touch it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A link that was made or changed."""

    link: Link = says("the link")
    address: str = says("what is printed, or posted")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkToMake:
    """A link to make. `unit` is a unit's code, `referrer` a person's id, `expires` a day on which it still leads."""

    target: str
    name: str = ""
    code: str = ""
    campaign: str | None = None
    medium: str | None = None
    touchpoint: str | None = None
    unit: str | None = None
    staff: str | None = None
    referrer: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """What of a link may change once it is printed."""

    target: str
    name: str = ""
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd:
    """A link to end: its code again."""

    confirm: str


def listing(core: AnyCore, viewer: Viewer, *, show: str = "leads", before: str = "") -> LinkList:
    """A page of the links that the viewer may see, with what came of them; `before` is the last code of the one before.

    `show` is `leads`, `over` or `all`.
    """
    now = as_of(core)
    mine = [each for each in links.every(core.state) if may_see(viewer, each)]
    leading = sum(each.leads(now) for each in mine)
    found = [each for each in mine if show == "all" or each.leads(now) == (show != "over")]
    start = next((place for place, each in enumerate(found, 1) if each.code == before), 0)
    shown = found[start : start + LIST]
    told = core.kept("links", lambda: link_report.counts(core.lane()))
    units, staff = names(core)
    return LinkList(
        as_of=now,
        own=not viewer.has(*SEE_ALL),
        totals={"leads": leading, "over": len(mine) - leading},
        links=tuple(_row(core, each, told.get(each.code, NOTHING), units, staff) for each in shown),
        next=shown[-1].code if len(found) > start + LIST else None,
    )


def view(core: AnyCore, viewer: Viewer, code: str) -> LinkView:
    """One link in full."""
    link, lane, now = seen(core, viewer, code), core.lane(), as_of(core)
    units, staff = names(core)
    told = link_report.counts(lane, link.code).get(link.code, NOTHING)
    rows = {
        which: tuple(people.rows(lane, core.vault, viewer, link_report.led_here(lane, viewer, link.code, which)))
        for which in ("first", "last")
    }
    return LinkView(
        as_of=now,
        row=_row(core, link, told, units, staff),
        onward=onward(link, None),
        days=link_report.days(lane, link.code, as_of=now, zone=core.settings.workspace.zone),
        led=link_report.led(lane, viewer, link.code),
        first=rows["first"],
        last=rows["last"],
    )


def make(core: AnyCore, viewer: Viewer, new: LinkToMake) -> MadeLink:
    """A link, written down. A guide makes cards of their own, in their own unit."""
    guide = not viewer.has(*RUN)
    staff = viewer.staff_id if guide else _staff(core, new.staff)
    referrer, key = _referrer(core, viewer, new.referrer)
    made = links.add(
        core.state,
        core.clock,
        NewLink(
            target=new.target,
            name=new.name,
            code=new.code.strip(),
            campaign=new.campaign,
            medium=new.medium,
            touchpoint=new.touchpoint,
            unit_id=_unit(core, viewer, new.unit, own=guide),
            staff_id=staff,
            referred_by=referrer,
            subject_key=key,
            expires_at=_end_of(core, new.expires),
        ),
        by=viewer.staff_id,
        host=_host(core),
    )
    audit(core, viewer, "link.add", made.code)
    return MadeLink(link=made, address=address_of(core, made))


def change(core: AnyCore, viewer: Viewer, code: str, wanted: LinkChange) -> MadeLink:
    """The link with another name, target or end, written down."""
    link = changeable(core, viewer, code)
    values: dict[str, Any] = {"target": wanted.target, "name": wanted.name}
    expires = _end_of(core, wanted.expires)
    if expires != link.expires_at:
        values["expires_at"] = expires
    changed = links.change(core.state, core.clock, link.code, values, host=_host(core))
    audit(core, viewer, "link.change", link.code)
    return MadeLink(link=changed, address=address_of(core, changed))


def finish(core: AnyCore, viewer: Viewer, code: str, ending: LinkEnd) -> MadeLink:
    """End the link, written down; its code must have been typed."""
    link = changeable(core, viewer, code)
    if ending.confirm.strip().lower() != link.code:
        raise Unacceptable(f"the code that was typed is not `{link.code}`", help="type the link's code to confirm")
    ended = links.end(core.state, core.clock, link.code)
    audit(core, viewer, "link.end", link.code)
    return MadeLink(link=ended, address=address_of(core, ended))


def code_file(core: AnyCore, viewer: Viewer, code: str, how: qr.Drawing) -> Response[bytes]:
    """The QR code of a link as a file to keep."""
    link = seen(core, viewer, code)
    drawn = qr.draw(address_of(core, link), how)
    headers = {"content-disposition": f'inline; filename="link-{link.code}.{how.form}"', "cache-control": "no-store"}
    return Response(content=drawn, media_type=qr.MEDIA[how.form], headers=headers)


def asked_drawing(core: AnyCore, form: str, size: int, margin: int, error: str, colour: str) -> qr.Drawing:
    """How a code is asked for; `brand` is the brand's colour."""
    chosen = core.settings.workspace.colour if colour == "brand" else colour
    return qr.drawing(form, size, margin, error, colour=chosen)


def seen(core: AnyCore, viewer: Viewer, code: str) -> Link:
    """The link of a code, if the viewer may see it; NotFound else."""
    link = links.get(core.state, code)
    if not may_see(viewer, link):
        raise NotFound(f"there is no link `{code[:40]}`", help="the list of links has their codes")
    return link


def changeable(core: AnyCore, viewer: Viewer, code: str) -> Link:
    """The link of a code, if the viewer may change it; NotFound else."""
    link = seen(core, viewer, code)
    if not may_change(viewer, link):
        raise NotFound(f"there is no link `{code[:40]}` of yours", help="ask whoever made it")
    return link


def may_see(viewer: Viewer, link: Link) -> bool:
    """Whether a link is a viewer's to see: one's own card, those of one's units, all of them for the whole brand."""
    if viewer.staff_id == link.staff_id:
        return True
    return viewer.has(*SEE_ALL) and (viewer.units is None or link.unit_id in viewer.units)


def may_change(viewer: Viewer, link: Link) -> bool:
    """Whether a link is a viewer's to change."""
    return may_see(viewer, link) and (viewer.has(*RUN) or (viewer.has("guide") and link.created_by == viewer.staff_id))


def address_of(core: AnyCore, link: Link) -> str:
    """What is printed of a link."""
    return f"{_base(core)}{links.PREFIX}{link.code}"


def names(core: AnyCore) -> tuple[dict[int, str], dict[str, str]]:
    """The names of units and of staff, by their ids."""
    return {unit.unit_id: unit.name for unit in all_units(core.state)}, staff_names(core.state)


def choosable_units(core: AnyCore, viewer: Viewer) -> tuple[Unit, ...]:
    """The units that a viewer may put on a link."""
    return tuple(unit for unit in all_units(core.state) if viewer.units is None or unit.unit_id in viewer.units)


def _row(core: AnyCore, link: Link, told: LinkCounts, units: dict[int, str], staff: dict[str, str]) -> LinkRow:
    return LinkRow(
        link=link,
        address=address_of(core, link),
        unit=None if link.unit_id is None else units.get(link.unit_id),
        staff=None if link.staff_id is None else staff.get(link.staff_id, link.staff_id),
        leads=link.leads(as_of(core)),
        counts=told,
    )


def _base(core: AnyCore) -> str:
    server = core.settings.server
    return (core.public_url or server.public_url or f"http://{server.host}:{server.port}").rstrip("/")


def _host(core: AnyCore) -> str:
    return urlsplit(_base(core)).netloc


def _staff(core: AnyCore, staff_id: str | None) -> str | None:
    if not staff_id:
        return None
    if staff_id not in staff_names(core.state):
        raise Unacceptable(f"there is no member of staff `{staff_id[:40]}`", help="choose one of the list")
    return staff_id


def _unit(core: AnyCore, viewer: Viewer, code: str | None, *, own: bool) -> int | None:
    """The unit of a link: the one chosen, or the maker's own for one who has only that."""
    open_to = choosable_units(core, viewer)
    if code:
        found = next((unit for unit in open_to if unit.code == code), None)
        if found is None:
            raise Unacceptable(f"there is no unit `{code[:40]}`", help="choose one of the list")
        return found.unit_id
    if viewer.units is None:
        return None
    tops = [unit for unit in open_to if unit.parent_id not in viewer.units]
    if not tops and not own:
        raise Unacceptable("a link of yours needs a unit", help="choose one of the list")
    return tops[0].unit_id if tops else None


def _referrer(core: AnyCore, viewer: Viewer, text: str | None) -> tuple[str | None, str | None]:
    """The person who recommends, by outside id, and the key by which erasing them ends the link."""
    if not text or not text.strip():
        return None, None
    try:
        profile = people.locate(core.lane(), viewer, read_profile(text.strip()))
    except BadId:
        raise Unacceptable(
            f"`{text.strip()[:40]}` is no person", help="give the id on a person's page, p_ and 13 letters and digits"
        ) from None
    key = core.lane().value("select subject_key from identifiers where subject_id = $id", {"id": profile})
    return show_profile(profile), key


def _end_of(core: AnyCore, day: str | None) -> datetime | None:
    """The end of a local day, as an instant."""
    chosen = day_of((day or "").strip())
    return None if chosen is None else midnight(chosen + timedelta(days=1), core.settings.workspace.zone)


@get("/api/links", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_links(
    core: Core, viewer: Asking, show: FromQuery[str] = "leads", before: FromQuery[str] = ""
) -> dict[str, Any]:
    """The short links that one may see, with visits, people and orders; `show` is leads, over or all."""
    return plain(listing(core, viewer, show=show, before=before))  # type: ignore[no-any-return]


@post("/api/links", opt={"roles": LINK}, status_code=201, sync_to_thread=True)
def add_link(core: Core, viewer: Asking, data: JSONBody[LinkToMake]) -> dict[str, Any]:
    """Make a short link; a guide's is a card of their own."""
    return plain(make(core, viewer, data))  # type: ignore[no-any-return]


@get("/api/links/{code:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_link(core: Core, viewer: Asking, code: FromPath[str]) -> dict[str, Any]:
    """One link: visits by day, and the people it led here first and last."""
    return plain(view(core, viewer, code))  # type: ignore[no-any-return]


@post("/api/links/{code:str}/change", opt={"roles": LINK}, status_code=200, sync_to_thread=True)
def change_link(core: Core, viewer: Asking, code: FromPath[str], data: JSONBody[LinkChange]) -> dict[str, Any]:
    """Give a link another target, name or last day; what is printed stays good."""
    return plain(change(core, viewer, code, data))  # type: ignore[no-any-return]


@post("/api/links/{code:str}/end", opt={"roles": LINK}, status_code=200, sync_to_thread=True)
def end_link(core: Core, viewer: Asking, code: FromPath[str], data: JSONBody[LinkEnd]) -> dict[str, Any]:
    """Let a link lead nowhere from now on; its code is typed to confirm."""
    return plain(finish(core, viewer, code, data))  # type: ignore[no-any-return]


@get("/api/links/{code:str}/qr", opt={"roles": PEOPLE}, sync_to_thread=True)
def link_code(
    core: Core,
    viewer: Asking,
    code: FromPath[str],
    form: FromQuery[str] = "svg",
    size: FromQuery[int] = 10,
    margin: FromQuery[int] = 4,
    error: FromQuery[str] = "m",
    colour: FromQuery[str] = "brand",
) -> Response[bytes]:
    """The QR code of a link, as `svg` or `png`, with modules of `size` pixels and `margin` free ones around it."""
    return code_file(core, viewer, code, asked_drawing(core, form, size, margin, error, colour))


ROUTES = [list_links, add_link, show_link, change_link, end_link, link_code]
