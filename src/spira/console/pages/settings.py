"""Settings: every one with its value, default and meaning, and forms for those that the console may change."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import NotFound, SpiraError
from spira.kernel.settings import Settings
from spira.kernel.settings_file import typed
from spira.kernel.viewer import Viewer
from spira.server.api.settings import change, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ADMINISTER, whole

Asked = Request[Any, Any, Any]


@get("/settings", opt={**whole(ADMINISTER), "data": "/api/settings"}, sync_to_thread=True)
def settings_page(request: Asked, core: Core) -> Response[str]:
    """The page."""
    return _draw(request, core, "", {}, None)


@post("/settings/{section:str}", opt=whole(ADMINISTER), status_code=200)
async def change_settings(request: Asked, core: Core, viewer: Asking, section: FromPath[str]) -> Response[Any]:
    """Back to the page; or the page again with what is wrong and what was typed."""
    form = {name: str(value) for name, value in (await request.form()).items() if name != "csrf"}
    return await anyio.to_thread.run_sync(lambda: _change(request, core, viewer, section, form))


def _change(request: Asked, core: AnyCore, viewer: Viewer, section: str, form: dict[str, str]) -> Response[Any]:
    model: Any = Settings.model_fields[section].annotation if section in Settings.model_fields else None
    if model is None:
        raise NotFound(f"there is no section `{section}`")
    values = {name: typed(section, name, text) for name, text in form.items() if name in model.model_fields}
    try:
        changed = change(core, viewer, section, values)
    except SpiraError as error:
        return _draw(request, core, section, form, told(error, viewer.language))
    what = "settings_next" if changed.at_next_start else "settings_changed" if changed.changed else "settings_same"
    return done("/settings", what)


def _draw(request: Asked, core: AnyCore, section: str, form: dict[str, str], fault: Told | None) -> Response[str]:
    status = fault.status if fault else 200
    return page(request, core, "settings.html", status=status, data=view(core), section=section, form=form, fault=fault)


ROUTES = [settings_page, change_settings]
