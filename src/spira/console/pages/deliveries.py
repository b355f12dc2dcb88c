"""Deliveries: what was sent and what was withheld, each with its reason, and the story of a single one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromQuery, PathParameter, QueryParameter

from spira.console.columns import columns_of
from spira.console.pages.journeys import Words
from spira.console.pages.people import ICONS as EVENT_ICONS
from spira.console.render import page
from spira.engage.delivery.gate import REASONS
from spira.engage.delivery.letters import LetterFilter
from spira.server.api import deliveries as api
from spira.server.api.selection import EXPORT
from spira.server.core import Asking, Core
from spira.server.roles import PEOPLE

Asked = Request[Any, Any, Any]
STATES = ("queued", "held", "withheld", "sent", "delivered", "bounced", "failed", "unknown")
TONES = {
    "delivered": "good",
    "sent": "good",
    "withheld": "",
    "held": "wait",
    "queued": "sea",
    "bounced": "bad",
    "failed": "bad",
    "unknown": "wait",
}


@get("/deliveries", opt={"roles": PEOPLE, "data": "/api/deliveries"}, sync_to_thread=True)
def deliveries_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    before: Annotated[int | None, QueryParameter(ge=0, le=api.LARGEST)] = None,
    delivery_state: Annotated[str | None, QueryParameter(name="state")] = None,
    reason: FromQuery[str | None] = None,
    channel: FromQuery[str | None] = None,
    journey: FromQuery[str | None] = None,
    template: FromQuery[str | None] = None,
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
) -> Response[str]:
    """The list, narrowed as asked; what is left empty in the form asks nothing."""
    first, last = _day(since), _day(until)
    asked = LetterFilter(
        state=delivery_state or None,
        reason=reason or None,
        channel=channel or None,
        journey=journey or None,
        template=template or None,
        before=before,
        **api.between(core, first, last),
    )
    return page(
        request,
        core,
        "deliveries.html",
        data=api.view(core, viewer, asked),
        columns=columns_of(core, viewer, "deliveries"),
        may_export=viewer.has(*EXPORT),
        words=Words(core, viewer),
        asked=asked,
        since=first.isoformat() if first else "",
        until=last.isoformat() if last else "",
        states=STATES,
        reasons=REASONS,
        tones=TONES,
        choices={kind: [each.name for each in core.applied.definitions_of(kind)] for kind in _KINDS},
        now=core.clock.now(),
    )


@get(
    "/deliveries/{delivery_id:int}", opt={"roles": PEOPLE, "data": "/api/deliveries/{delivery_id}"}, sync_to_thread=True
)
def delivery_page(
    request: Asked, core: Core, viewer: Asking, delivery_id: Annotated[int, PathParameter(ge=0, le=api.LARGEST)]
) -> Response[str]:
    """One delivery and its story."""
    shown = api.one(core, viewer, delivery_id)
    return page(
        request,
        core,
        "delivery.html",
        data=shown,
        words=Words(core, viewer),
        tones=TONES,
        event_icons=EVENT_ICONS,
    )


@post("/deliveries/selected/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200)
async def export_page(request: Asked, core: Core, viewer: Asking) -> Response[bytes]:
    """The deliveries that are ticked as a CSV file."""
    ids = api.read_ids((await request.form()).getall("chosen", []))
    return await anyio.to_thread.run_sync(lambda: api.export(core, viewer, ids))


def _day(text: str | None) -> date | None:
    """A day as a form sends it; what is no day asks nothing."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


_KINDS = ("channel", "journey", "template")
ROUTES = [deliveries_page, delivery_page, export_page]
