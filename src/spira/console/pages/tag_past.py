"""A tag at an earlier instant: in figures, of one person, or as a file."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.pages.tags import part_name
from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.selection import EXPORT
from spira.server.api.tag_past import TagThen, earlier, file, sent, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DEFINE

Asked = Request[Any, Any, Any]


@get("/tags/{name:str}/then", opt={"data": "/api/tags/{name}/then", "roles": DEFINE}, sync_to_thread=True)
def then_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    as_of: FromQuery[str] = "",
    person: FromQuery[str] = "",
) -> Response[str]:
    """The tag as of an instant, of everyone or of one person."""
    core.applied.get("tag", name)
    at = as_of or earlier(core)
    try:
        return _draw(request, core, viewer, name, at, person, data=view(core, viewer, name, at, person))
    except SpiraError as error:
        return _draw(request, core, viewer, name, at, person, fault=told(error, viewer.language))


@post("/tags/{name:str}/then/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200)
async def export_then_form(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Everyone's value at the instant as CSV."""
    at = str((await request.form()).get("as_of", ""))
    return await carried(
        viewer,
        lambda: sent(name, *file(core, viewer, name, at)),
        lambda fault: _draw(request, core, viewer, name, at, "", fault=fault),
    )


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    at: str,
    person: str,
    *,
    data: TagThen | None = None,
    fault: Told | None = None,
) -> Response[str]:
    spread = data.figures.distribution.parts if data and data.figures else ()
    model = core.applied.get("tag", name).model
    return page(
        request,
        core,
        "tag_past.html",
        status=fault.status if fault else 200,
        data=data,
        name=name,
        title=label_of(core, "tag", name, viewer.language),
        parts=[(part_name(core, viewer, name, data.type, part), part) for part in spread] if data else [],
        at=at,
        person=person,
        fault=fault,
        may_export=viewer.has(*EXPORT) and viewer.sees_people and model.privacy != "sensitive",
    )


ROUTES = [then_page, export_then_form]
