"""The pipeline: every stage in order, what it reads and writes, how far behind it is, and what failed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.render import page
from spira.server.api.system import report
from spira.server.core import Asking, Core

Asked = Request[Any, Any, Any]


@get("/system", sync_to_thread=True)
def system_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    return page(request, core, "system.html", report=report(core, viewer))


ROUTES = [system_page]
