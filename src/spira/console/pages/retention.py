"""Retention: how long what is kept, and what went when its time was over."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.server.api.retention import view
from spira.server.core import Asking, Core
from spira.server.roles import ERASE, whole

Asked = Request[Any, Any, Any]


@get("/retention", opt={**whole(ERASE), "data": "/api/retention"}, sync_to_thread=True)
def retention_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    return page(request, core, "retention.html", data=view(core), labels=event_labels(core, viewer.language))


ROUTES = [retention_page]
