"""The application: the door in front, the API behind it, and room for pages.

`create_app(core)` answers the API alone; the console passes its pages in, because it lies above
this package. `asgi(app, core)` is what a server runs: the same, with collection in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State as AppState
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from spira.collect import browser, pixel
from spira.collect.front import front
from spira.collect.hooks import door as hooks
from spira.collect.hooks.calls import HookCalls
from spira.kernel.clock import Clock, RealClock
from spira.kernel.ids import new_secret
from spira.server import faults
from spira.server.api import routes
from spira.server.api.search import Places, no_places
from spira.server.auth import Door, provide_viewer
from spira.server.core import AnyCore, Asgi
from spira.server.middleware import mounted
from spira.server.quick import Quick

MAX_BODY_BYTES = 2_000_000


def create_app(
    core: AnyCore,
    *,
    pages: Sequence[ControllerRouterHandler] = (),
    fault_page: faults.FaultPage | None = None,
    places: Places = no_places,
    local_token: str = "",
    wall: Clock | None = None,
    built: Litestar | None = None,
) -> Litestar:
    """The application over an open core, with pages and how a search finds them.

    `app.state.local_token` is the bearer token of local commands. An application that was `built` before,
    with the same pages, answers for this core from now on: registering the routes takes half a second.
    """
    app = built or _build(pages, fault_page)
    door = Door(core=core, wall=wall or RealClock(), local_token=local_token or new_secret())
    app.state = AppState(
        {
            "core": core,
            "local_token": door.local_token,
            "door": door,
            "places": places,
            "hook_calls": HookCalls(core.state, core.keys),
        }
    )
    return app


def _build(pages: Sequence[ControllerRouterHandler], fault_page: faults.FaultPage | None) -> Litestar:
    """The routes and what goes before them; which core they are asked about is found in the application's state."""
    # One router for all: Litestar wraps a handler's function once more each time the handler is registered.
    every = Router(path="/", route_handlers=[*routes.ROUTES, *pages])
    return Litestar(
        route_handlers=[every],
        before_request=_knock,
        dependencies={"core": Provide(_provide_core), "viewer": Provide(provide_viewer)},
        exception_handlers=faults.handlers(fault_page),
        logging_config=None,
        openapi_config=OpenAPIConfig(title="Spira", version="1", path="/api/schema", render_plugins=[]),
        request_max_body_size=MAX_BODY_BYTES,
    )


async def _knock(request: Request[Any, Any, Any]) -> None:
    door: Door = request.app.state.door
    await door(request)


async def _provide_core(request: Request[Any, Any, Any]) -> Any:
    return request.app.state.core


def asgi(app: Litestar, core: AnyCore) -> Asgi:
    """The whole of HTTP as one callable, for a server to run."""
    web = browser.Browser(state=core.state, clock=core.clock, public_url=core.settings.server.public_url)
    called = hooks.Hooks(core, app.state.hook_calls)
    doors: dict[str, Asgi] = {
        pixel.PREFIX: pixel.Pixel(core.intake),
        hooks.PREFIX: called,
        **dict.fromkeys(browser.PREFIXES, web),
    }
    collection = front(core.intake, doors)
    quick = Quick(app, core, app.state.door)
    return mounted(quick, collection, https=lambda: core.settings.server.public_url.startswith("https://"))
