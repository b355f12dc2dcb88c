"""The preference centre: what an address allows, changed without a session by whoever has its signed link."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.public.frame import HEADERS, draw
from spira.console.render import query_with
from spira.engage import preferences as choosing
from spira.kernel.i18n import LANGUAGES
from spira.server.core import AnyCore, Core

Asked = Request[Any, Any, Any]
_LOOK = {"public": True, "cost": "public"}
_OPEN = {"public": True, "open_post": True, "cost": "public"}  # the token of the link stands for the form's


@get("/p/{token:str}", opt=_LOOK, sync_to_thread=True)
def preferences_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """What the address allows; looking changes nothing."""
    note = request.query_params.get("said")
    shown = choosing.preferences(core, token, note)
    return draw(request, core, "public_preferences.html", known=shown.language, shown=shown, saved=bool(note))


@post("/p/{token:str}", opt=_OPEN, status_code=303)
async def save(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """Keep the choices, and show them; durable before the answer."""
    form = await request.form()
    chosen = [_cell(str(each)) for each in form.getall("allow", [])]
    language, everything = str(form.get("language", "")), "nothing" in form
    note = await anyio.to_thread.run_sync(lambda: _save(core, token, chosen, language, everything=everything))
    return shown_by(request, f"/p/{token}", note, **({"lang": None} if language in LANGUAGES else {}))


def shown_by(request: Asked, path: str, note: str, **more: str | None) -> Redirect:
    """To the page that shows what was just kept; reloading it sends nothing again."""
    query = request.scope.get("query_string", b"").decode("latin-1")
    to = path + query_with(query, {"reason": None, "said": note or None, **more})
    return Redirect(path=to, status_code=303, headers=HEADERS)


def _save(core: AnyCore, token: str, chosen: list[choosing.Cell], language: str, *, everything: bool) -> str:
    shown = choosing.preferences(core, token)
    if everything:
        return choosing.refuse_all(core, shown)
    return choosing.save(core, shown, chosen, language)


def _cell(text: str) -> choosing.Cell:
    purpose, _, channel = text.partition(".")
    return purpose, channel


ROUTES = [preferences_page, save]
