"""What a tag's definition has been: each change, and whose value it has changed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from spira.console.labels import label_of
from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.server.api.tag_versions import Effect, effect, versions
from spira.server.core import Asking, Core
from spira.server.roles import DEFINE, whole

Asked = Request[Any, Any, Any]


@get("/tags/{name:str}/versions", opt={"data": "/api/tags/{name}/versions", **whole(DEFINE)}, sync_to_thread=True)
def versions_page(
    request: Asked, core: Core, viewer: Asking, name: FromPath[str], effect_of: FromQuery[int] = 0
) -> Response[str]:
    """The versions, the newest first; of one, on request, how many people got another value."""
    data = versions(core, name)
    found: Effect | None = None
    fault: Told | None = None
    if effect_of:
        try:
            found = effect(core, viewer, name, effect_of)
        except SpiraError as error:
            fault = told(error, viewer.language)
    return page(
        request,
        core,
        "tag_versions.html",
        status=fault.status if fault else 200,
        data=data,
        name=name,
        title=label_of(core, "tag", name, viewer.language),
        effect=found,
        fault=fault,
    )


ROUTES = [versions_page]
