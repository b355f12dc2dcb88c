"""The tracking plan as the calls see it: what comes in undeclared, and the definition that would declare it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.collect.proposals import DAYS
from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.server.api.tracking import Days, proposed
from spira.server.core import Asking, Core
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]
SPANS = (1, 7, 30, 90)


@get("/tracking", opt={**whole(CONNECT), "data": "/api/tracking/proposals"}, sync_to_thread=True)
def tracking_page(request: Asked, core: Core, viewer: Asking, days: Days = DAYS) -> Response[str]:
    """Undeclared events and properties, each with what declares it in one click."""
    labels = event_labels(core, viewer.language)
    return page(request, core, "tracking.html", data=proposed(core, days), labels=labels, spans=SPANS)


ROUTES = [tracking_page]
