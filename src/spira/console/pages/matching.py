"""The review queue: two who are likely one person side by side, and the three answers to that."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromQuery

from spira.console.carrying import carried
from spira.console.render import done, page
from spira.console.telling import Told
from spira.console.weights import waterfall
from spira.kernel.viewer import Viewer
from spira.server import unsealing
from spira.server.api.matching import Wanted, Word, run, say, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import CONNECT, DECIDE, whole

Asked = Request[Any, Any, Any]


@get("/identity/review", opt={"roles": DECIDE, "data": "/api/identity/review"}, sync_to_thread=True)
def review_page(
    request: Asked, core: Core, viewer: Asking, pair: FromQuery[str] = "", start: FromQuery[int] = 0
) -> Response[str]:
    """Who waits, and one pair: field by field, with what each field says, and the three answers."""
    return _draw(request, core, viewer, pair=pair, start=start)


@post("/identity/review", opt={"roles": DECIDE}, status_code=200)
async def review_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Say of a pair what it is; the next one follows."""
    form = await request.form()
    word = Word(pair=str(form.get("pair", "")), verdict=str(form.get("verdict", "")))

    def act() -> Response[Any]:
        return done("/identity/review", f"review_{say(core, viewer, word).decided or 'noted'}")

    return await carried(viewer, act, lambda fault: _draw(request, core, viewer, fault=fault))


@post("/identity/review/clear", opt={"roles": DECIDE}, status_code=200)
async def review_clear(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The same pair with contact values in clear, for a role that may see them; that and why is written down."""
    form = await request.form()
    pair, reason = str(form.get("pair", "")), str(form.get("reason", ""))

    return await carried(
        viewer,
        lambda: _draw(request, core, viewer, pair=pair, clear=True, reason=reason),
        lambda fault: _draw(request, core, viewer, fault=fault),
    )


@post("/identity/match", opt=whole(CONNECT), status_code=200)
async def match_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Match whoever is new or changed now."""

    def act() -> Response[Any]:
        run(core, viewer, Wanted())
        return done("/identity/review", "matched")

    return await carried(viewer, act, lambda fault: _draw(request, core, viewer, fault=fault))


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    *,
    pair: str = "",
    start: int = 0,
    clear: bool = False,
    reason: str = "",
    fault: Told | None = None,
) -> Response[str]:
    data = view(core, viewer, pair=pair, start=start, clear=clear, reason=reason)
    return page(
        request,
        core,
        "review.html",
        data=data,
        weights=waterfall(data.pair) if data.pair else None,
        owed=unsealing.is_owed(core, viewer),
        may_run=bool(viewer.roles.intersection(CONNECT)) and viewer.units is None,
        fault=fault,
    )


ROUTES = [review_page, review_form, review_clear, match_form]
