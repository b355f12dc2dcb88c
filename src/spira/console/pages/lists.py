"""What all big lists share: each reader chooses the columns of theirs, and finds them again anywhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from litestar import Request, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.server import columns
from spira.server.core import Asking, Core
from spira.server.roles import ALL

Asked = Request[Any, Any, Any]


@post("/lists/{name:str}/columns", opt={"roles": ALL}, status_code=303)
async def choose_columns(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Redirect:
    """Show the columns that are ticked, or those of the list's default; back to the list as it was narrowed."""
    form = await request.form()
    wanted = [str(each) for each in form.getall("column", [])]
    sheet = columns.sheet_of(viewer, name)
    if form.get("op") == "default":
        await anyio.to_thread.run_sync(lambda: columns.reset(core, viewer, name))
    else:
        await anyio.to_thread.run_sync(lambda: columns.choose(core, viewer, name, wanted))
    kept = [(key, value) for key, value in parse_qsl(str(form.get("query", ""))) if key != "done"]
    return Redirect(path=f"{sheet.path}?{urlencode(kept)}" if kept else sheet.path, status_code=303)


ROUTES = [choose_columns]
