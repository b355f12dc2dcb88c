"""Notes: one with what it said before, and those that call the one who asks; a person's page has the form for more."""

from __future__ import annotations

from typing import Any

import anyio
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.notes import calls, edit_note, pin_note, see_calls, story, take_back_note
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.unify.notes import LONGEST

Asked = Request[Any, Any, Any]
OPT = {"roles": PEOPLE}
ONE = "/people/{profile:str}/notes/{note:int}"


@get("/notes", opt={**OPT, "data": "/api/notes"}, sync_to_thread=True)
def calls_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The notes that call the one who asks."""
    return page(request, core, "notes.html", data=calls(core, viewer))


@post("/notes/seen", opt=OPT, status_code=200, sync_to_thread=True)
def see_all(core: Core, viewer: Asking) -> Response[Any]:
    """All of them are seen."""
    see_calls(core, viewer)
    return done("/notes", "calls_seen")


@get(ONE, opt={**OPT, "data": "/api/profiles/{profile}/notes/{note}"}, sync_to_thread=True)
def note_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]) -> Response[str]:
    """One note, to be edited by its author, with what it said before."""
    return _draw(request, core, viewer, profile, note)


@post(f"{ONE}/edit", opt=OPT, status_code=200)
async def edit_form(
    request: Asked, core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]
) -> Response[Any]:
    """The note says something else; what can't be kept stays in the box with what is wrong with it."""
    text = str((await request.form()).get("text", ""))

    def attempt() -> Response[Any]:
        try:
            edit_note(core, viewer, profile, note, text)
        except SpiraError as error:
            return _draw(request, core, viewer, profile, note, fault=told(error, viewer.language), typed=text)
        return done(f"/people/{profile}", "note_edited")

    return await anyio.to_thread.run_sync(attempt)


@post(f"{ONE}/pin", opt=OPT, status_code=200)
async def pin_form(
    request: Asked, core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]
) -> Response[Any]:
    """The note stays on top, or does no longer."""
    pinned = bool((await request.form()).get("pinned"))
    await anyio.to_thread.run_sync(lambda: pin_note(core, viewer, profile, note, pinned=pinned))
    return done(f"/people/{profile}", "note_pinned" if pinned else "note_unpinned")


@post(f"{ONE}/delete", opt=OPT, status_code=200, sync_to_thread=True)
def take_back_form(core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]) -> Response[Any]:
    """Take a note back."""
    take_back_note(core, viewer, profile, note)
    return done(f"/people/{profile}", "note_taken_back")


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    profile: str,
    note: int,
    *,
    fault: Told | None = None,
    typed: str | None = None,
) -> Response[str]:
    shown = story(core, viewer, profile, note)
    return page(
        request,
        core,
        "note.html",
        status=fault.status if fault else 200,
        data=shown,
        fault=fault,
        typed=shown.note.text if typed is None else typed,
        longest=LONGEST,
    )


ROUTES = [calls_page, see_all, note_page, edit_form, pin_form, take_back_form]
