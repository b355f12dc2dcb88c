"""`/api/deliveries`: what was sent and what was withheld, each with its reason and its story."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import date, timedelta
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from spira.engage.delivery.letters import Letter, LetterFilter, LetterPage, LetterStory, letter, letters, picked
from spira.engage.sheets import sheet
from spira.kernel.clock import midnight
from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer
from spira.server.api.selection import EXPORT, MOST
from spira.server.core import AnyCore, Asking, Core, as_of, audit, kept_view
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.wire import plain

LARGEST = (1 << 63) - 1


@kept_view
def view(core: AnyCore, viewer: Viewer, asked: LetterFilter) -> LetterPage:
    """A page of deliveries."""
    return letters(core.lane(), core.vault, viewer, asked)


def one(core: AnyCore, viewer: Viewer, delivery_id: int) -> LetterStory:
    """One delivery and its story."""
    return letter(
        core.lane(),
        core.vault,
        viewer,
        delivery_id,
        channels=core.applied.of("channel"),
        templates=[each.name for each in core.applied.definitions_of("template")],
        as_of=as_of(core),
    )


def export(core: AnyCore, viewer: Viewer, ids: Sequence[int]) -> Response[bytes]:
    """Some deliveries as a CSV file, people masked; that it was taken is written down before."""
    if not ids or len(ids) > MOST:
        raise Unacceptable(f"between 1 and {MOST} deliveries go into a file", help="tick some in the list first")
    found = picked(core.lane(), core.vault, viewer, ids)
    if not found:
        raise NotFound("there are no such deliveries", help="they may have been erased")
    taken = [each.delivery_id for each in found]
    audit(core, viewer, "deliveries.export", f"{len(found)} deliveries", deliveries=taken)
    heads = [each.name for each in fields(Letter)]
    headers = {"content-disposition": f'attachment; filename="deliveries-{core.clock.now():%Y-%m-%d}.csv"'}
    text = sheet([heads, *(astuple(each) for each in found)])
    return Response(content=text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


def read_ids(told: Iterable[object]) -> list[int]:
    """The ids of deliveries as they are written in JSON or in a form; what is none is left out."""
    return [int(each) for each in map(str, told) if each.isdecimal() and each.isascii() and int(each) <= LARGEST]


def between(core: AnyCore, since: date | None, until: date | None) -> dict[str, Any]:
    """A range of days, both included, as the instants that bound it in the workspace's zone."""
    zone = core.settings.workspace.zone
    return {
        "since": None if since is None else midnight(since, zone),
        "until": None if until is None else midnight(until + timedelta(days=1), zone),
    }


@get("/api/deliveries", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_deliveries(
    core: Core,
    viewer: Asking,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
    before: Annotated[int | None, QueryParameter(ge=0, le=LARGEST)] = None,
    delivery_state: Annotated[str | None, QueryParameter(name="state")] = None,
    reason: FromQuery[str | None] = None,
    channel: FromQuery[str | None] = None,
    journey: FromQuery[str | None] = None,
    template: FromQuery[str | None] = None,
    since: FromQuery[date | None] = None,
    until: FromQuery[date | None] = None,
) -> dict[str, Any]:
    """The viewer's people's deliveries, newest first, narrowed as asked; `next` continues as `before`."""
    asked = LetterFilter(
        state=delivery_state,
        reason=reason,
        channel=channel,
        journey=journey,
        template=template,
        before=before,
        limit=limit,
        **between(core, since, until),
    )
    return plain(view(core, viewer, asked))  # type: ignore[no-any-return]


@get("/api/deliveries/{delivery_id:int}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_delivery(
    core: Core, viewer: Asking, delivery_id: Annotated[int, PathParameter(ge=0, le=LARGEST)]
) -> dict[str, Any]:
    """One delivery: what the gate asked and found, what was tried, and what came back."""
    return plain(one(core, viewer, delivery_id))  # type: ignore[no-any-return]


@post("/api/deliveries/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200, sync_to_thread=True)
def export_deliveries(core: Core, viewer: Asking, data: JSONBody[dict[str, Any]]) -> Response[bytes]:
    """Some deliveries as a CSV file, people masked: `{"deliveries": ["17", 18]}`; each file is written down."""
    told = data.get("deliveries")
    ids = read_ids(told if isinstance(told, list) else ())
    if not isinstance(told, list) or len(ids) != len(told):
        raise Unacceptable("`deliveries` is a list of ids", help='send {"deliveries": ["17", "18"]}')
    return export(core, viewer, ids)


ROUTES = [list_deliveries, show_delivery, export_deliveries]
