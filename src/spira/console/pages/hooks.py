"""Webhooks of other systems: how each stands, its latest calls, and what a call would become."""

from __future__ import annotations

import json
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api import hooks as api
from spira.server.api.hooks import Tried, calls_of
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]
MOST_LINES = 100


@get("/hooks", opt={**whole(CONNECT), "data": "/api/hooks"}, sync_to_thread=True)
def hooks_page(request: Asked, core: Core) -> Response[str]:
    """The list."""
    return page(request, core, "hooks.html", data=api.listing(core, calls_of(request)))


@get("/hooks/{name:str}", opt={**whole(CONNECT), "data": "/api/hooks/{name}"}, sync_to_thread=True)
def hook_page(request: Asked, core: Core, name: FromPath[str]) -> Response[str]:
    """One hook."""
    return _one(request, core, name, {})


@post("/hooks/{name:str}/test", opt=whole(CONNECT), status_code=200)
async def try_call(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """The hook's page with what a call would become."""
    form = {key: str(value) for key, value in (await request.form()).items()}
    return await anyio.to_thread.run_sync(lambda: _tried(request, core, viewer, name, form))


def _tried(request: Asked, core: AnyCore, viewer: Viewer, name: str, form: dict[str, str]) -> Response[str]:
    try:
        made = api.tried(
            api.definition(core, name), headers_of(form.get("headers", "")), api.body_of(form.get("body", ""))
        )
    except SpiraError as error:
        if error.status == 404:
            raise
        return _one(request, core, name, form, fault=told(error, viewer.language))
    return _one(request, core, name, form, made=made)


def headers_of(text: str) -> dict[str, str]:
    """Headers as they are written, one a line."""
    found = {}
    for line in text.splitlines()[:MOST_LINES]:
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise Unacceptable(f"`{line.strip()[:60]}` is no header", help="write one a line, as in X-Event: paid")
        if line.strip():
            found[name.strip()] = value.strip()
    return found


def _one(
    request: Asked,
    core: AnyCore,
    name: str,
    form: dict[str, str],
    *,
    made: Tried | None = None,
    fault: Told | None = None,
) -> Response[str]:
    return page(
        request,
        core,
        "hook.html",
        status=fault.status if fault else 200,
        data=api.view(core, calls_of(request), name),
        form=form,
        made=made,
        shown=[json.dumps(each, ensure_ascii=False, indent=2) for each in made.calls] if made else [],
        fault=fault,
    )


ROUTES = [hooks_page, hook_page, try_call]
