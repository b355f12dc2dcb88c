"""The pipeline: every stage in order, what it reads and writes, how far behind it is, and what failed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.render import page
from spira.server.api.health import alarms
from spira.server.api.system import report
from spira.server.core import Asking, Core

Asked = Request[Any, Any, Any]


@get("/system", opt={"data": "/api/system"}, sync_to_thread=True)
def system_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    return page(request, core, "system.html", data=report(core, viewer), silent=alarms(core, viewer))


@get("/more", opt={"data": None}, sync_to_thread=True)
def more_page(request: Asked, core: Core) -> Response[str]:
    """Every page of the rail, for phones, whose bar has room for four groups."""
    return page(request, core, "more.html")


ROUTES = [system_page, more_page]
