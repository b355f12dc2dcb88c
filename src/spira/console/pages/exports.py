"""Exports: the lists of people that left the house, why, and how many people that were in each year."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.render import page
from spira.server.api.exports import view
from spira.server.core import Core
from spira.server.roles import ERASE, whole

Asked = Request[Any, Any, Any]


@get("/exports", opt={**whole(ERASE), "data": "/api/exports"}, sync_to_thread=True)
def exports_page(request: Asked, core: Core) -> Response[str]:
    """The page."""
    return page(request, core, "exports.html", data=view(core))


ROUTES = [exports_page]
