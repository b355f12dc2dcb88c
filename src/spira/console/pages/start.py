"""The first run: five steps with progress, and sample data one click away."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.measure.first_run import FirstRun
from spira.sandbox.sample import PEOPLE
from spira.server.api import start as api
from spira.server.api.start import place_sample, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import RUN, whole

Asked = Request[Any, Any, Any]
# Where each step is taken.
ACTIONS = {
    "source": "/sources/new",
    "events": "/sources",
    "known": "/definitions/new?kind=tracking",
    "choosing": "/audiences/new",
    "reaching": "/definitions/new?kind=channel",
}


@get("/start", opt={**whole(RUN), "data": "/api/start"}, sync_to_thread=True)
def start_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The checklist."""
    return _draw(request, core, viewer, None)


@post("/start/sample", opt=whole(RUN), status_code=200)
async def sample(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Put sample data in; back to the checklist, or the page again with what is wrong."""
    try:
        await place_sample(core, viewer)
    except SpiraError as error:
        return _draw(request, core, viewer, told(error, viewer.language))
    return done("/start", "sample_placed")


@post("/start/dismiss", opt=whole(RUN), status_code=303, sync_to_thread=True)
def dismiss(core: Core, viewer: Asking) -> Redirect:
    """Show the panel in the cockpit no more, wherever they sign in; the page stays where it is."""
    api.dismiss(core, viewer, away=True)
    return Redirect(path="/", status_code=303)


@post("/start/show", opt=whole(RUN), status_code=303, sync_to_thread=True)
def show(core: Core, viewer: Asking) -> Redirect:
    """Show the panel in the cockpit again."""
    api.dismiss(core, viewer, away=False)
    return done("/start", "start_shown")


def panel(core: AnyCore, viewer: Viewer) -> FirstRun | None:
    """What the cockpit's panel shows; nothing when it was dismissed, all is done, or the viewer can't act."""
    if not api.takes_part(viewer) or api.is_dismissed(core, viewer):
        return None
    found = view(core)
    return found if found.next else None


def _draw(request: Asked, core: AnyCore, viewer: Viewer, fault: Told | None) -> Response[str]:
    status = fault.status if fault else 200
    shown = view(core)
    return page(
        request,
        core,
        "start.html",
        status=status,
        data=shown,
        actions=ACTIONS,
        people=PEOPLE,
        fault=fault,
        dismissed=api.is_dismissed(core, viewer),
    )


ROUTES = [start_page, sample, dismiss, show]
