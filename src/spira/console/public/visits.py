"""Short links as visitors open them: a redirect that nobody keeps, fast and without a cookie or a script."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, route
from litestar.params import FromPath

from spira.collect import links, visits
from spira.collect.tracking import plan_of
from spira.kernel.errors import NotFound
from spira.server.auth import Door, origin_of
from spira.server.core import AnyCore, Core
from spira.server.errors import TooManyRequests
from spira.unify.units import all_units

VISITS_A_MINUTE = 600  # of one network address; a shop's visitors share one
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer-when-downgrade",
    "x-robots-tag": "noindex, nofollow",
}
# Counted here and not at the door: a visitor above the limit is led on, and only not written down.
_UNCOUNTED = {"public": True, "cost": "free"}


@route("/r/{code:str}", http_method=["GET", "HEAD"], opt=_UNCOUNTED, sync_to_thread=True)
def follow(request: Request[Any, Any, Any], core: Core, code: FromPath[str]) -> Response[bytes]:
    """Where the link leads; the visit is durable before the answer."""
    now = core.clock.now()
    try:
        link = links.leading(core.state, code, at=now)
    except NotFound:
        _count(request, core)
        raise
    try:
        _count(request, core)
    except TooManyRequests:
        return _to(visits.onward(link, None))
    headers = {name.lower(): value for name, value in request.headers.items()}
    store = _store(core, link.unit_id)
    return _to(visits.take(core.log, core.clock, link, method=request.method, headers=headers, store=store))


def _to(target: str) -> Response[bytes]:
    return Response(content=b"", status_code=302, headers={**_HEADERS, "location": target}, media_type="text/plain")


def _count(request: Request[Any, Any, Any], core: AnyCore) -> None:
    door: Door = request.app.state.door
    who = f"link:{origin_of(request, core)}"
    door.limits.take(who, None, per_minute=VISITS_A_MINUTE, at=door.wall.now())


def _store(core: AnyCore, unit_id: int | None) -> str | None:
    """The code of a link's unit, by which profiles find where they belong; none where stores are not told by text."""
    if unit_id is None or _told_as(core) != "text":
        return None
    return next((unit.code for unit in all_units(core.state) if unit.unit_id == unit_id), None)


def _told_as(core: AnyCore) -> str | None:
    return core.kept(("links", "store"), lambda: plan_of(core.applied.of("tracking")).properties().get("store_id"))


ROUTES = [follow]
