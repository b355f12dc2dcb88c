"""The preference centre: what an address allows, changed without a session by whoever has its signed link."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.public.frame import HEADERS, draw, heard, reads
from spira.console.render import query_with
from spira.engage import centre, sharing, told
from spira.engage import preferences as choosing
from spira.kernel.errors import NotFound
from spira.kernel.i18n import LANGUAGES
from spira.server.api.rights import law_of
from spira.server.core import AnyCore, Core
from spira.unify import personal, rights

Asked = Request[Any, Any, Any]
RIGHTS: tuple[rights.Right, ...] = ("access", "portability", "erasure")  # what can be asked for here with one tap
ORIGIN = "preferences"
_LOOK = {"public": True, "cost": "public"}
_OPEN = {"public": True, "open_post": True, "cost": "public"}  # the token of the link stands for the form's


@get("/p/{token:str}", opt=_LOOK, sync_to_thread=True)
def preferences_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """What the address allows; looking changes nothing but what the browser itself says (Global Privacy Control)."""
    note = request.query_params.get("said")
    shown = choosing.preferences(core, token, note)
    signal = heard(request, core, shown.subject_id, note)
    return draw(
        request,
        core,
        "public_preferences.html",
        known=shown.language,
        shown=shown,
        texts=centre.texts_of(core, shown, reads(request, core, shown.language)),
        saved=bool(note),
        token=token,
        personal=personal,
        rights=RIGHTS,
        shares=not signal and sharing.allowed(core, shown.subject_id, note),
        signal=signal,
        asked=_open_requests(core, shown),
    )


@post("/p/{token:str}", opt=_OPEN, status_code=303)
async def save(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """Keep the choices, and show them; durable before the answer."""
    form = await request.form()
    chosen = [_cell(str(each)) for each in form.getall("allow", [])]
    language, everything = str(form.get("language", "")), "nothing" in form
    wishes = choosing.Wishes(
        personalised="personal" in form if "asked_personal" in form else None,
        abroad="abroad" in form if "asked_abroad" in form else None,
        most=str(form["most"]) if "most" in form else None,
        quiet=str(form["quiet"]) if "quiet" in form else None,
    )

    def keep() -> str:
        shown = choosing.preferences(core, token)
        if everything:
            return choosing.refuse_all(core, shown)
        texts = centre.texts_of(core, shown, reads(request, core, shown.language))
        return choosing.save(core, shown, chosen, language, wishes, texts)

    note = await anyio.to_thread.run_sync(keep)
    return shown_by(request, f"/p/{token}", note, **({"lang": None} if language in LANGUAGES else {}))


@get("/p/{token:str}/why", opt=_LOOK, sync_to_thread=True)
def why(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Why each of the latest messages to the address went out."""
    shown = choosing.preferences(core, token)
    language = reads(request, core, shown.language)
    messages = told.received(core, shown.subject_id, shown.profile_id, language)
    return draw(request, core, "public_why.html", known=shown.language, shown=shown, messages=messages, token=token)


@post("/p/{token:str}/sharing", opt=_OPEN, status_code=303)
async def share(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """Let nothing be sold, shared or used for advertising elsewhere; or allow it again."""
    allow = str((await request.form()).get("allow", "")) == "yes"

    def keep() -> str:
        return sharing.choose(core, choosing.preferences(core, token).subject_id, allow=allow)

    return shown_by(request, f"/p/{token}", await anyio.to_thread.run_sync(keep))


@post("/p/{token:str}/ask", opt=_OPEN, status_code=303)
async def ask(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """File a request by right: a copy of one's data, the same for machines, or to be erased."""
    said = str((await request.form()).get("right", ""))
    right = next((each for each in RIGHTS if each == said), None)
    if right is None:
        raise NotFound("this can't be asked for here", help="choose one of the buttons of the page")

    def file() -> None:
        shown = choosing.preferences(core, token)
        key = centre.key_of(core, shown)
        rights.file_request(
            core.state,
            core.keys,
            core.clock,
            settings=core.settings,
            right=right,
            subject_key=key,
            origin=ORIGIN,
            actor="person",
            law=law_of(core, key),
        )

    await anyio.to_thread.run_sync(file)
    return shown_by(request, f"/p/{token}", "", asked=right)


def shown_by(request: Asked, path: str, note: str, **more: str | None) -> Redirect:
    """To the page that shows what was just kept; reloading it sends nothing again."""
    query = request.scope.get("query_string", b"").decode("latin-1")
    to = path + query_with(query, {"reason": None, "said": note or None, **more})
    return Redirect(path=to, status_code=303, headers=HEADERS)


def _open_requests(core: AnyCore, shown: choosing.Preferences) -> dict[str, rights.Request]:
    """What the address asked for and was not answered yet, by right."""
    mine = rights.Sought(status="open", asked_keys=[centre.key_of(core, shown)])
    return {each.right: each for each in rights.listed(core.state, limit=20, sought=mine)}


def _cell(text: str) -> choosing.Cell:
    purpose, _, channel = text.partition(".")
    return purpose, channel


ROUTES = [preferences_page, save, share, why, ask]
