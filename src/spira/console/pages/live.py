"""Live events: what comes in, as it comes in.

The page stands by itself: it has the last events and a way to load newest ones. A script lets it
follow the stream of what is newer, drawn by the same template.
"""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from spira.collect.live import Wanted
from spira.console.labels import by_label
from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.console.streams import Streams, follow
from spira.kernel.viewer import Viewer
from spira.server.api.live import choices, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE, whole

Asked = Request[Any, Any, Any]


@get("/live", opt={**whole(PEOPLE), "data": "/api/live"}, sync_to_thread=True)
def live_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    touchpoint: FromQuery[str] = "",
) -> Response[str]:
    """The last events that are wanted, and what there is to choose by."""
    wanted = Wanted(source=source or None, event=event or None, touchpoint=touchpoint or None)
    labels = event_labels(core, viewer.language)
    return page(
        request,
        core,
        "live.html",
        data=view(core, viewer, wanted),
        labels=labels,
        in_order=lambda names: by_label(names, labels, viewer.language),
        choices=choices(core),
        wanted=wanted,
    )


@get("/live/stream", opt={**whole(PEOPLE), "stream": True})
async def live_stream(
    request: Asked,
    core: Core,
    viewer: Asking,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    touchpoint: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> Response[Any]:
    """What is newer than `after`, or than what the reader had when its last stream ended."""
    streams: Streams = request.app.state.streams
    if streams.full:
        return Response(content="", status_code=503, headers={"retry-after": "30"}, media_type=MediaType.TEXT)
    wanted = Wanted(source=source or None, event=event or None, touchpoint=touchpoint or None)
    begin = _number(request.headers.get("last-event-id"), after)

    def look(number: int) -> tuple[int, str | None]:
        return _news(request, core, viewer, wanted, number)

    return Stream(
        follow(streams, look, after=begin),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _news(request: Asked, core: AnyCore, viewer: Viewer, wanted: Wanted, after: int) -> tuple[int, str | None]:
    """The events after a number, drawn as the page draws them."""
    found = view(core, viewer, wanted, after=after)
    if not found.events:
        return found.after, None
    labels = event_labels(core, viewer.language)
    drawn = page(request, core, "parts/live_events.html", seed=False, data=found, labels=labels)
    return found.after, drawn.content


def _number(told: str | None, otherwise: int) -> int:
    if told is None:
        return otherwise
    if not (told.isascii() and told.isdigit() and len(told) < 19):
        raise Unacceptable("there is no such place in the stream", help="reload the page")
    return int(told)


ROUTES = [live_page, live_stream]
