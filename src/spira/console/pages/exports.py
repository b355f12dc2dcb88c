"""Exports: the lists of people that left the house, who else got them, and what those have to be told."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.carrying import carried
from spira.console.render import done, page
from spira.console.telling import Told
from spira.server.api.exports import tell, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ERASE, whole

Asked = Request[Any, Any, Any]


@get("/exports", opt={**whole(ERASE), "data": "/api/exports"}, sync_to_thread=True)
def exports_page(request: Asked, core: Core) -> Response[str]:
    """The page."""
    return _draw(request, core)


@post("/exports/told/{duty_id:str}", opt=whole(ERASE), status_code=200)
async def told(request: Asked, core: Core, viewer: Asking, duty_id: FromPath[str]) -> Response[Any]:
    """Write down that a recipient was told."""

    def act() -> Response[Any]:
        tell(core, viewer, duty_id)
        return done("/exports", "recipient_told")

    return await carried(viewer, act, lambda fault: _draw(request, core, fault=fault))


def _draw(request: Asked, core: AnyCore, *, fault: Told | None = None) -> Response[str]:
    return page(request, core, "exports.html", status=fault.status if fault else 200, data=view(core), fault=fault)


ROUTES = [exports_page, told]
