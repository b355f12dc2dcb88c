"""Audiences: one of them, two beside each other, and its members to take away. The list is in `audience_list`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from spira.console import drawings
from spira.console.labels import label_of
from spira.console.pages.people import event_labels, trait_labels
from spira.console.render import page
from spira.console.telling import told
from spira.engage.audience_export import LOT, MESSAGING, MOST, PURPOSES, Chosen, Wish, checked, chosen, lines
from spira.engage.reach import kinds_of
from spira.kernel.errors import Conflict, SpiraError
from spira.kernel.i18n import catalogue, choose, say
from spira.kernel.viewer import Role, Viewer
from spira.segment.audience_compare import MOST as MOST_COMPARED
from spira.segment.audience_compare import Comparison
from spira.segment.audience_uses import Use
from spira.server import judging
from spira.server.api import exports
from spira.server.api.audience_facts import (
    AudienceFacts,
    Membership,
    compared,
    explained,
    view,
)
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import DEFINE, PEOPLE, RUN
from spira.unify import recipients
from spira.unify.units import all_units

Asked = Request[Any, Any, Any]
EXPORT: tuple[Role, ...] = ("administrator", "operator", "analyst", "privacy_officer", "service")
PAGES = {
    "audience": "/audiences/",
    "journey": "/journeys/",
    "tag": "/tags/",
    "metric": "/metrics/",
    "template": "/templates/",
    "destination": "/destinations/",
}


@get("/audiences/compare", opt={"data": None}, sync_to_thread=True)
def compare_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    one: FromQuery[str] = "",
    two: FromQuery[str] = "",
    three: FromQuery[str] = "",
    chosen: FromQuery[list[str] | None] = None,
) -> Response[str]:
    """Two or three audiences beside each other, or those that were ticked; without two, the form that asks for them."""
    fault, found = None, None
    picked = [each for each in (chosen or (one, two, three)) if each]
    try:
        if len(picked) > MOST_COMPARED:
            raise Conflict("more than three audiences can't be compared", help="choose among them here")
        found = compared(core, viewer, *picked) if len(picked) > 1 else None
    except SpiraError as error:
        fault = told(error, viewer.language)
    return page(
        request,
        core,
        "audience_compare.html",
        status=fault.status if fault else 200,
        data=found,
        fault=fault,
        picked=(*picked, "", "", "")[:MOST_COMPARED],
        rings=_rings(found) if found and found.people else (),
        names={each.audience: _name(core, "audience", each.audience, viewer) for each in core.applied.of("audience")},
        tag=lambda name: _name(core, "tag", name, viewer),
    )


def _rings(found: Comparison) -> tuple[drawings.Dot, ...]:
    """The circles of the audiences, which overlap by what any two share."""
    names = [each.audience for each in found.audiences]
    pairs = list(combinations(names, 2))
    shared = [sum(each.people for each in found.regions if set(pair) <= set(each.within)) for pair in pairs]
    return drawings.rings([each.members for each in found.audiences], shared)


@get("/audiences/{name:str}", opt={"data": "/api/audiences/{name}/facts"}, sync_to_thread=True)
def audience_page(
    request: Asked, core: Core, viewer: Asking, name: FromPath[str], before: FromQuery[str] = ""
) -> Response[str]:
    """One audience."""
    return _draw(request, core, viewer, view(core, viewer, name, before=before or None))


@post("/audiences/{name:str}/why", opt={"roles": PEOPLE}, status_code=200)
async def explain_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """The audience's page with why somebody is in it or not; a form, so that no address stands in an address line."""
    identifier = str((await request.form()).get("identifier", "")).strip()
    return await anyio.to_thread.run_sync(lambda: _explained(request, core, viewer, name, identifier))


@post("/audiences/{name:str}/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200)
async def export_members(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Stream | Response[str]:
    """The members as a CSV file; that it was taken, by whom and with which columns, is written down."""
    form = await request.form()
    wish = Wish(
        audience=name,
        purpose=str(form.get("purpose", "")),
        channel=str(form.get("channel", "")),
        tags=tuple(str(each) for each in form.getall("tag", [])),
        contacts=str(form.get("contacts", "")) == "yes",
        recipient=str(form.get("recipient", "")),
    )
    try:
        wish, found = await anyio.to_thread.run_sync(lambda: _chosen(core, viewer, wish, str(form.get("reason", ""))))
    except SpiraError as error:
        fault = told(error, viewer.language)
        return await anyio.to_thread.run_sync(
            lambda: _draw(request, core, viewer, view(core, viewer, name), fault=fault, wish=wish)
        )
    headers = {
        "content-disposition": f'attachment; filename="audience-{core.clock.now():%Y-%m-%d}.csv"',
        "x-spira-rows": str(len(found.rows)),
        "x-spira-left-out": str(found.left_out),
    }
    return Stream(_csv(core, viewer, wish, found), media_type="text/csv", headers=headers)


def _chosen(core: AnyCore, viewer: Viewer, wish: Wish, reason: str) -> tuple[Wish, Chosen]:
    """Who leaves, written down before the first line is sent."""
    core.applied.get("audience", wish.audience)
    if not viewer.sees_people:
        raise Conflict("this role sees figures, not single people")
    columns = core.lane().columns("tags")
    tags = [each.tag for each in core.applied.of("tag") if each.tag in columns]
    checked(wish, viewer, kinds=kinds_of(core.applied), tags=tags)
    found = chosen(core.lane(), viewer, wish, judging.leaving(core))
    left = [profile for profile, _, _ in found.rows]
    wish = replace(wish, mark=exports.leave(core, viewer, "audience", left, wish, reason=reason))
    audit(
        core,
        viewer,
        "audience.export",
        wish.audience,
        rows=len(found.rows),
        left_out=found.left_out,
        columns=list(wish.columns),
        purpose=wish.purpose,
        channel=wish.channel if wish.purpose in MESSAGING else None,
        in_clear=wish.contacts,
    )
    return wish, found


async def _csv(core: AnyCore, viewer: Viewer, wish: Wish, found: Chosen) -> AsyncIterator[bytes]:
    """The file, lot by lot; spreadsheets know by its first three bytes that it is UTF-8."""
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}

    def said(start: int) -> str:
        lot = found.rows[start : start + LOT] if start >= 0 else ()
        return lines(core.lane(), core.vault, viewer, wish, lot, units=units)

    yield (await anyio.to_thread.run_sync(said, -1)).encode("utf-8-sig")
    for start in range(0, len(found.rows), LOT):
        yield (await anyio.to_thread.run_sync(said, start)).encode()


def _explained(request: Asked, core: AnyCore, viewer: Viewer, name: str, identifier: str) -> Response[str]:
    shown = view(core, viewer, name)
    try:
        found = explained(core, viewer, name, identifier)
    except SpiraError as error:
        fault = told(error, viewer.language)
        return _draw(request, core, viewer, shown, why_fault=fault, identifier=identifier)
    return _draw(request, core, viewer, shown, explained=found, identifier=identifier)


def _draw(request: Asked, core: AnyCore, viewer: Viewer, shown: AudienceFacts, **more: Any) -> Response[str]:
    columns = core.lane().columns("tags")
    given = {"explained": None, "why_fault": None, "identifier": "", "fault": None, "wish": None} | more
    fault = given["fault"] or given["why_fault"]
    events, traits = event_labels(core, viewer.language), trait_labels(core, viewer.language)
    labels = {"event": events, "trait": traits}

    def called(use: Use) -> str:
        known = labels.get(use.kind, {}).get(use.name)
        return known or _name(core, "model" if use.kind == "score" else use.kind, use.name, viewer)

    return page(
        request,
        core,
        "audience.html",
        status=fault.status if fault else 200,
        data=shown,
        name=choose(shown.label, viewer.language, default=shown.audience),
        chart=_chart(shown, viewer.language, "members"),
        moves=_chart(shown, viewer.language, "entered", "left"),
        called=called,
        events=events,
        labels=_labels(core, viewer, given["explained"]),
        tag=lambda name: _name(core, "tag", name, viewer),
        audience=lambda name: _name(core, "audience", name, viewer),
        pages=PAGES,
        units={unit.unit_id: unit.name for unit in all_units(core.state)},
        kinds=kinds_of(core.applied),
        tags=[each.tag for each in core.applied.of("tag") if each.tag in columns],
        purposes=PURPOSES,
        recipients=recipients.every(core.settings.rights),
        most=MOST,
        may_export=viewer.has(*EXPORT) and viewer.sees_people,
        may_define=viewer.has(*DEFINE) and viewer.units is None,
        may_keep=viewer.has(*RUN),
        **given,
    )


def _labels(core: AnyCore, viewer: Viewer, found: Membership | None) -> dict[tuple[str, str], str]:
    """What the tags, scores and audiences of an explanation are called."""
    waiting, named = [found.reason] if found else [], {}
    while waiting:
        part = waiting.pop()
        waiting += part.parts
        if part.kind in ("tag", "score", "audience") and part.name:
            kind = "model" if part.kind == "score" else part.kind
            named[part.kind, part.name] = _name(core, kind, part.name, viewer)
    return named


def _name(core: AnyCore, kind: str, name: str, viewer: Viewer) -> str:
    return label_of(core, kind, name, viewer.language)


def _chart(shown: AudienceFacts, language: str, *names: str) -> dict[str, Any]:
    """The days since there is an audience as a chart's spec; its first filling is no entering like others."""
    texts = catalogue("spira.console", language)
    known = [place for place, each in enumerate(shown.standing.days) if each.members is not None]
    first = known[0] if known else len(shown.standing.days)
    days = shown.standing.days[first:]
    began = first > 0
    values = {
        "members": [each.members for each in days],
        "entered": [None if began and not place else each.entered for place, each in enumerate(days)],
        "left": [each.left for each in days],
    }
    series = [
        {
            "name": say(texts, f"audiences.{name}"),
            "type": "line" if name == "members" else "bar",
            "unit": "count",
            "values": values[name],
        }
        for name in names
    ]
    return {"x": [each.day.isoformat() for each in days], "series": series}


ROUTES = [compare_page, audience_page, explain_page, export_members]
