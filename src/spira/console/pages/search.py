"""Search: one box over everything, as a page and as the list that opens below the box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromQuery
from litestar.response import Redirect

from spira.console.rail import RailGroup, RailItem, rail_for
from spira.console.render import page
from spira.kernel.i18n import LANGUAGES, catalogue
from spira.server.api.search import EACH, folded, rank, search
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
    found = search(core, viewer, q)
    rail = rail_for(viewer)
    part = bool(request.headers.get("hx-request"))
    hits = [hit.href for group in found.groups for hit in group.hits]
    if not part and len(hits) == 1 and hits[0].startswith("/people/") and not _places(rail, q):
        return Redirect(path=hits[0], status_code=303)
    template = "parts/found.html" if part else "search.html"
    return page(request, core, template, data=found, icons=ICONS, places=_places(rail, q), typed=q)


def _places(rail: tuple[RailGroup, ...], text: str) -> list[RailItem]:
    """The pages whose name in either language fits; all of them for an empty text."""
    wanted = folded(text)
    items = [item for group in rail for item in group.items]
    if not wanted:
        return items
    texts = [catalogue("spira.console", language) for language in LANGUAGES]
    ranked = [
        (place, number, item)
        for number, item in enumerate(items)
        if (place := rank(wanted, [item.name, *(each.get(f"rail.item.{item.name}", "") for each in texts)])) is not None
    ]
    return [item for *_, item in sorted(ranked, key=lambda each: each[:2])[:EACH]]


ROUTES = [search_page]
