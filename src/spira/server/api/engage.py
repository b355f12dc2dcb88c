"""`/api/journeys`, `/api/deliveries`: what was done."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, QueryParameter

from spira.kernel.ids import show_profile
from spira.measure.cockpit import journey_figures
from spira.server.core import Asking, Core
from spira.server.roles import PEOPLE
from spira.server.wire import plain


@get("/api/journeys", sync_to_thread=True)
def list_journeys(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every journey that somebody entered: its walks, and goals of treated against held out."""
    return {"journeys": plain(journey_figures(core.lane(), viewer))}


@get("/api/journeys/{name:str}", sync_to_thread=True)
def show_journey(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """One applied journey, with its figures once somebody entered it."""
    definition = core.applied.get("journey", name)
    figures = next((each for each in journey_figures(core.lane(), viewer) if each.journey == name), None)
    return {"journey": name, "fingerprint": definition.fingerprint, "figures": plain(figures)}


@get("/api/deliveries", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_deliveries(
    core: Core,
    viewer: Asking,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
    before: Annotated[int | None, QueryParameter(ge=0, le=(1 << 63) - 1)] = None,
    delivery_state: Annotated[str | None, QueryParameter(name="state")] = None,
) -> dict[str, Any]:
    """The viewer's people's deliveries, newest first; `next` continues as `before`."""
    units = None if viewer.units is None else sorted(viewer.units)
    asked = {"units": units, "before": before, "state": delivery_state, "limit": limit}
    rows = core.lane().rows(_DELIVERIES, asked)
    listed = [{**plain(row), "profile_id": show_profile(row["profile_id"])} for row in rows]
    return {"deliveries": listed, "next": rows[-1]["delivery_id"] if len(rows) == limit else None}


ROUTES = [list_journeys, show_journey, list_deliveries]

_DELIVERIES = """
select delivery_id, profile_id, channel, template, journey, step, purpose, state, reason,
       detail, created_at, sent_at, delivered_at, opened_at, clicked_at, bounced_at
from deliveries join profiles using (profile_id)
where ($units::bigint[] is null or list_contains($units, unit_id))
  and ($before::bigint is null or delivery_id < $before) and ($state::varchar is null or state = $state)
order by delivery_id desc limit $limit
"""
