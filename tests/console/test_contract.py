"""What every page owes: its data as JSON, its size, its escapes. The routes themselves say which pages there are."""

from __future__ import annotations

import re
from functools import cache

import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from tests.console.world import World

from spira.console.app import ROUTES
from spira.console.app import create_app as app_of
from spira.server.wire import plain
from spira.testing.cores import StandInCore

# Path parameters of the pages, by the route's own name for them, in the world of the tests.
HOLES = {
    "/sources/{name}": "shop",
    "/links/{code}": "door",
    "/hooks/{name}": "service",
    "/destinations/{name}": "lake",
    "/tags/{name}": "orders_90d",
    "/audiences/{name}": "lapsed",
    "/journeys/{name}": "win_back",
    "/templates/{name}": "we_miss_you",
    "/metrics/{name}": "revenue",
    "/definitions/{kind}/{name}": "lapsed",
    "/definitions/history/{number}": "1",
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:")


def pages():
    """(path, data) of every page that is looked at, with `{name}` for its parameters."""
    for route in ROUTES:
        if "GET" in route.http_methods and "data" in route.opt and not route.opt.get("framed"):
            for path in route.paths:
                yield re.sub(r":\w+}", "}", path), route.opt["data"]


@cache
def noted(world: World) -> str:
    """The number of the one note that pages and API are asked for."""
    return world.noted()


@cache
def happened(world: World) -> str:
    """The id of the one incident that pages and API are asked for."""
    return world.happened()


def filled(path: str, world: World) -> str:
    """A page's address with its parameters filled from the world."""
    if "{profile}" in path:
        if "{note}" in path:
            path = path.replace("{note}", noted(world))
        known = path.replace("{profile}", world.person()).replace("{model}", "next_order_date")
        return known.replace("{name}", "age")
    if "{run_id}" in path:
        return path.replace("{run_id}", world.given()).replace("{name}", "lake")
    if "{import_id}" in path:
        return path.replace("{import_id}", world.imported())
    if "{request_id}" in path:
        return path.replace("{request_id}", world.asked())
    if "{incident_id}" in path:
        return path.replace("{incident_id}", happened(world))
    if "{staff_id}" in path:
        return path.replace("{staff_id}", world.colleague())
    for known, name in HOLES.items():
        if path.removeprefix("/api").startswith(known):
            return (
                path.replace("{kind}", "audience")
                .replace("{name}", name)
                .replace("{number}", name)
                .replace("{code}", name)
            )
    for known, ask in NUMBERED.items():
        if path.removeprefix("/api").startswith(known):
            return re.sub(r"{\w+}", str(world.core.lane().value(ask)), path)
    return path


NUMBERED = {
    "/households/{home}": "select min(household) from households where holds",
    "/quarantine/{call}": "select max(batch) || '-' || max(item) from quarantine",
    "/deliveries/{delivery_id}": "select max(delivery_id) from deliveries where sent_at is not null",
}
PAGES = sorted(pages(), key=str)


def test_every_page_says_where_its_data_is(tmp_path):
    """Each page names the address of its data as JSON, or has none of its own, leads on, or is like another."""
    core = StandInCore(tmp_path)
    routes = [route for route in app_of(core).routes if isinstance(route, HTTPRoute)]
    core.close()
    silent = [
        route.path
        for route in routes
        for handler in route.route_handlers
        if "GET" in handler.http_methods
        and not handler.opt.get("public")
        and not route.path.startswith(("/api/", "/static/"))
        and not {"data", "leads", "like", "stream"} & set(handler.opt)
    ]
    assert silent == []


@pytest.mark.parametrize(("path", "data"), PAGES)
def test_a_page_and_the_api_tell_the_same(world, path, data):
    """What a page draws is, value for value, what the API answers; no script or style stands in it; it is small."""
    seen = []

    async def spying(scope, receive, send):
        seen.append(scope)
        await world.app(scope, receive, send)

    client = TestClient(spying, raise_server_exceptions=False)
    page = client.get(filled(path, world), headers={"authorization": "Bearer local"}, follow_redirects=False)
    assert page.status_code == 200, page.text[:2000]
    assert len(page.content) < 80_000
    assert not INLINE.search(page.text)
    shown = next((scope["view"] for scope in seen if scope.get("view") is not None), None)
    if data is None:
        return
    answer = world.get(filled(data, world))
    assert answer.status_code == 200, answer.text[:2000]
    assert timeless(answer.json()) == timeless(plain(shown))


def timeless(value):
    """A view without what differs from one asking to the next: how long it took."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key not in ("ms", "seconds", "run", "lag")}
    return [timeless(each) for each in value] if isinstance(value, list) else value
