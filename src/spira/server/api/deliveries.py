"""`/api/deliveries`: what was sent and what was withheld, each with its reason and its story."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from litestar import get
from litestar.params import FromQuery, PathParameter, QueryParameter

from spira.engage.delivery.letters import LetterFilter, LetterPage, LetterStory, letter, letters
from spira.kernel.clock import midnight
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
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


ROUTES = [list_deliveries, show_delivery]
