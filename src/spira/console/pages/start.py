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
from spira.server.api.start import place_sample, view
from spira.server.auth import secure_cookies
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import RUN, whole

Asked = Request[Any, Any, Any]
DISMISSED = "spira_start"
_YEAR = 31_536_000
# Where each step is taken.
ACTIONS = {
    "source": "/sources/new",
    "events": "/sources",
    "known": "/definitions/new?kind=tracking",
    "choosing": "/audiences/new",
    "reaching": "/definitions/new?kind=channel",
}


@get("/start", opt={**whole(RUN), "data": "/api/start"}, sync_to_thread=True)
def start_page(request: Asked, core: Core) -> Response[str]:
    """The checklist."""
    return _draw(request, core, None)


@post("/start/sample", opt=whole(RUN), status_code=200)
async def sample(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Put sample data in; back to the checklist, or the page again with what is wrong."""
    try:
        await place_sample(core, viewer)
    except SpiraError as error:
        return _draw(request, core, told(error, viewer.language))
    return done("/start", "sample_placed")


@post("/start/dismiss", opt=whole(RUN), status_code=303, sync_to_thread=True)
def dismiss(core: Core) -> Redirect:
    """Show the panel in the cockpit no more, in this browser; the page stays where it is."""
    answer = Redirect(path="/", status_code=303)
    answer.set_cookie(
        DISMISSED, "dismissed", max_age=_YEAR, httponly=True, samesite="lax", secure=secure_cookies(core), path="/"
    )
    return answer


def panel(request: Asked, core: AnyCore, viewer: Viewer) -> FirstRun | None:
    """What the cockpit's panel shows; nothing when it was dismissed, all is done, or the viewer can't act."""
    if request.cookies.get(DISMISSED) or not viewer.has(*RUN) or viewer.units is not None:
        return None
    found = view(core)
    return found if found.next else None


def _draw(request: Asked, core: AnyCore, fault: Told | None) -> Response[str]:
    status = fault.status if fault else 200
    shown = view(core)
    return page(request, core, "start.html", status=status, data=shown, actions=ACTIONS, people=PEOPLE, fault=fault)


ROUTES = [start_page, sample, dismiss]
