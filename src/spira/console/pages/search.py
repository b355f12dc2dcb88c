"""Search: one box over everything, as a page and as the list that opens below the box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromQuery
from litestar.response import Redirect

from spira.console import places
from spira.console.render import page
from spira.server.api.search import search
from spira.server.core import Asking, Core
from spira.server.roles import ALL

Asked = Request[Any, Any, Any]
ICONS: Mapping[str, str] = {
    "person": "user",
    "tag": "tag",
    "audience": "users-group",
    "journey": "route",
    "broadcast": "speakerphone",
    "template": "template",
    "metric": "chart-line",
    "event": "activity",
    "definition": "file-code",
}


@get("/search", opt={"roles": ALL, "data": "/api/search"}, sync_to_thread=True)
def search_page(request: Asked, core: Core, viewer: Asking, q: FromQuery[str] = "") -> Response[Any]:
    """What a text finds; without one, where one can go. For htmx, only the list. The one person found is gone to."""
    found = search(core, viewer, q, places=places.find)
    part = bool(request.headers.get("hx-request"))
    hits = [hit.href for group in found.groups for hit in group.hits]
    if not part and len(hits) == 1 and hits[0].startswith("/people/"):
        return Redirect(path=hits[0], status_code=303)
    template = "parts/found.html" if part else "search.html"
    everywhere = () if q.strip() else places.find(viewer, "")
    return page(
        request, core, template, data=found, icons=ICONS, everywhere=everywhere, place_icons=places.ICONS, typed=q
    )


ROUTES = [search_page]
