"""Destinations: places outside that are told who is in an audience; how each stands, its runs, and its start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.render import done, page
from spira.console.schedules import length_words
from spira.console.telling import Told
from spira.kernel.viewer import Viewer
from spira.server.api import destinations as api
from spira.server.api.destinations import GIVE_CONTACTS, Tried
from spira.server.api.selection import EXPORT
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import GIVE, whole

Asked = Request[Any, Any, Any]


@get("/destinations", opt={**whole(GIVE), "data": "/api/destinations"}, sync_to_thread=True)
def destinations_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The list."""
    return page(
        request,
        core,
        "destinations.html",
        data=api.listing(core),
        audience=lambda name: label_of(core, "audience", name, viewer.language),
    )


@get("/destinations/{name:str}", opt={**whole(GIVE), "data": "/api/destinations/{name}"}, sync_to_thread=True)
def destination_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """One destination."""
    return _one(request, core, viewer, name)


@get(
    "/destinations/{name:str}/runs/{run_id:str}",
    opt={**whole(GIVE), "data": "/api/destinations/{name}/runs/{run_id}"},
    sync_to_thread=True,
)
def run_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str], run_id: FromPath[str]) -> Response[str]:
    """One run, batch by batch."""
    called = label_of(core, "destination", name, viewer.language)
    return page(request, core, "destination_run.html", data=api.run_view(core, name, run_id), name=name, called=called)


@post("/destinations/{name:str}/start", opt=whole(GIVE), status_code=200)
async def start(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the destination, which gives from now on; or its page with what is wrong."""
    form = {key: str(value).strip() for key, value in (await request.form()).items()}

    def carry_out() -> None:
        most = form.get("most", "")
        if most and not most.isdecimal():
            raise Unacceptable("this is no number of people", help="write digits, or leave it empty")
        api.begin(core, viewer, name, reason=form.get("reason", ""), most=int(most) if most else None)

    return await _done(request, core, viewer, name, carry_out, "destination_started", form)


@post("/destinations/{name:str}/pause", opt=whole(GIVE), status_code=200)
async def pause(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the destination, which waits."""
    return await _done(
        request, core, viewer, name, lambda: api.pause(core, viewer, name, paused=True), "destination_paused"
    )


@post("/destinations/{name:str}/resume", opt=whole(GIVE), status_code=200)
async def resume(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the destination, which goes on."""
    return await _done(
        request, core, viewer, name, lambda: api.pause(core, viewer, name, paused=False), "destination_resumed"
    )


@post("/destinations/{name:str}/run", opt=whole(GIVE), status_code=200)
async def run_now(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the destination, which is told as soon as may be."""
    everyone = str((await request.form()).get("everyone", "")) == "yes"
    return await _done(
        request, core, viewer, name, lambda: api.ask(core, viewer, name, everyone=everyone), "destination_asked"
    )


@post("/destinations/{name:str}/test", opt=whole(GIVE), status_code=200)
async def try_out(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """The destination's page with whether it was reached."""

    def carry_out() -> Response[str]:
        return _one(request, core, viewer, name, tried=api.try_out(core, viewer, name))

    return await anyio.to_thread.run_sync(carry_out)


async def _done(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    carry_out: Callable[[], None],
    what: str,
    form: dict[str, str] | None = None,
) -> Response[Any]:
    """Carry something out and lead back; or the page with the fault that it had."""

    def lead() -> Response[Any]:
        carry_out()
        return done(f"/destinations/{name}", what)

    return await carried(viewer, lead, lambda fault: _one(request, core, viewer, name, fault=fault, form=form))


def _one(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    *,
    tried: Tried | None = None,
    fault: Told | None = None,
    form: dict[str, str] | None = None,
) -> Response[str]:
    shown = api.view(core, name)
    return page(
        request,
        core,
        "destination.html",
        status=fault.status if fault else 200,
        data=shown,
        called=label_of(core, "destination", name, viewer.language),
        audience=label_of(core, "audience", shown.row.audience, viewer.language),
        every=length_words(shown.every, viewer.language),
        may_start=viewer.has(*(GIVE_CONTACTS if shown.row.contacts else EXPORT)),
        tried=tried,
        fault=fault,
        form=form or {},
    )


ROUTES = [destinations_page, destination_page, run_page, start, pause, resume, run_now, try_out]
