"""The reference page of the API, made from the routes themselves; a test keeps it current."""

from __future__ import annotations

from inspect import cleandoc

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from spira.server.roles import ALL

HEAD = """# The HTTP API

Send `Authorization: Bearer TOKEN` with a token made by `POST /api/tokens`, or use a session's cookie
(then whatever changes something needs the header `X-CSRF-Token`). Bodies and answers are JSON;
instants are ISO 8601 in UTC. An error is `{"code", "message", "help"}`; the codes have pages in
`errors/`. Answers about people hold only those whom the one who asks may see, masked for their role.
The OpenAPI description is at `/api/schema/openapi.json`.

| route | what it does | who may |
|---|---|---|
"""


def api_page(app: Litestar) -> str:
    """The whole page."""
    rows = [
        (route.path, method, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/") and "/schema" not in route.path
        for handler in route.route_handlers
        for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"})
    ]
    return HEAD + "\n".join(_row(*each) for each in sorted(rows, key=lambda row: row[:2])) + "\n"


def _row(path: str, method: str, handler: HTTPRouteHandler) -> str:
    said = cleandoc(getattr(handler.fn, "func", handler.fn).__doc__ or "").replace("\n", " ")
    roles = "everybody" if handler.opt.get("public") else ", ".join(handler.opt.get("roles", ())) or "all staff"
    if handler.opt.get("whole"):
        roles = f"{'all staff' if set(handler.opt['roles']) == set(ALL) else roles} without a unit"
    shown = path.replace(":str}", "}").replace(":path}", "}")
    return f"| `{method} {shown}` | {said} | {roles.replace('_', ' ')} |"
