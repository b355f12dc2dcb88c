"""The pipeline: every stage in order, what it reads and writes, how far behind it is, and what failed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.alerts import Test, run_test, shown_to
from spira.server.api.health import alarms
from spira.server.api.system import report
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]


@get("/system", opt={"data": "/api/system"}, sync_to_thread=True)
def system_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    return _draw(request, core, viewer)


@post("/system/alerts/test", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def test_alerts(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page with what came of a test of the alerts."""
    try:
        return _draw(request, core, viewer, tested=run_test(core, viewer))
    except SpiraError as error:
        return _draw(request, core, viewer, fault=told(error, viewer.language))


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, *, tested: Test | None = None, fault: Told | None = None
) -> Response[str]:
    return page(
        request,
        core,
        "system.html",
        status=fault.status if fault else 200,
        data=report(core, viewer),
        silent=alarms(core, viewer),
        alerts=shown_to(core, viewer),
        tested=tested,
        fault=fault,
    )


@get("/more", opt={"data": None}, sync_to_thread=True)
def more_page(request: Asked, core: Core) -> Response[str]:
    """Every page of the rail, for phones, whose bar has room for four groups."""
    return page(request, core, "more.html")


ROUTES = [system_page, test_alerts, more_page]
