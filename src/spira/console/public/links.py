"""Links in messages and providers' receipts: opens, clicks, unsubscribing. No session, no script, no tracking."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.public.frame import draw, heard
from spira.console.public.preferences import shown_by
from spira.engage import leaving, receipts
from spira.kernel.errors import Conflict
from spira.server.core import AnyCore, Core

Asked = Request[Any, Any, Any]
# One-click unsubscribing (RFC 8058) and providers post without having seen a form; tokens and signatures stand for it.
_OPEN = {"public": True, "open_post": True, "cost": "public"}
# Mail services fetch images and try links for many people from few addresses; signatures keep others out.
_UNCOUNTED = {"public": True, "cost": "free"}
_IMAGE = {"cache-control": "no-store", "cross-origin-resource-policy": "cross-origin"}  # mail is read on other sites


@get("/o/{token:str}", opt=_UNCOUNTED, sync_to_thread=True)
def opened(core: Core, token: FromPath[str]) -> Response[bytes]:
    """The invisible image of a message."""
    image = receipts.opened(core, token.removesuffix(".gif"))
    return Response(content=image, media_type="image/gif", headers=_IMAGE)


@get("/c/{token:str}", opt=_UNCOUNTED, sync_to_thread=True, status_code=302)
def clicked(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """A link of a message; it leads where its signature says. What the browser says of privacy is heard."""
    click = receipts.clicked(core, token)
    if click.subject_id is not None:
        heard(request, core, click.subject_id)
    return Redirect(path=click.target, status_code=302)


@get("/u/{token:str}", opt={"public": True, "cost": "public"}, sync_to_thread=True)
def unsubscribe_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Ask whether to unsubscribe; looking changes nothing but what the browser itself says: mail scanners look."""
    shown = leaving.look(core, token, request.query_params.get("said"))
    return _leaving_page(request, core, token, shown, told=request.query_params.get("reason") == "told")


@post("/u/{token:str}", opt=_OPEN, status_code=200)
async def unsubscribe(request: Asked, core: Core, token: FromPath[str]) -> Response[str] | Redirect:
    """Unsubscribe; kept before the answer says so. One click of a mail program is answered without a redirect."""
    form = await request.form()
    note = await anyio.to_thread.run_sync(leaving.leave, core, token)
    if "from_page" in form:
        return shown_by(request, f"/u/{token}", note)
    shown = await anyio.to_thread.run_sync(leaving.look, core, token, note)
    return await anyio.to_thread.run_sync(lambda: _leaving_page(request, core, token, shown))


@post("/u/{token:str}/again", opt=_OPEN, status_code=303)
async def again(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """That was a mistake: allow again what was refused on this page."""
    said = str((await request.form()).get("said", ""))
    try:
        note = await anyio.to_thread.run_sync(leaving.undo, core, token, said)
    except Conflict:
        shown = await anyio.to_thread.run_sync(leaving.look, core, token)
        return Redirect(path=f"/p/{shown.preferences}", status_code=303)
    return shown_by(request, f"/u/{token}", note)


@post("/u/{token:str}/reason", opt=_OPEN, status_code=303)
async def reason(request: Asked, core: Core, token: FromPath[str]) -> Redirect:
    """Why somebody left: one tap, nobody has to."""
    form = await request.form()
    said, why = str(form.get("said", "")), str(form.get("reason", ""))
    await anyio.to_thread.run_sync(leaving.tell_reason, core, token, why)
    return shown_by(request, f"/u/{token}", said, reason="told")


@post("/receipts/{channel:str}", opt={**_OPEN, "cost": "free"}, status_code=200)
async def receipt(request: Asked, core: Core, channel: FromPath[str]) -> dict[str, int]:
    """What a provider says became of messages; signed, or refused."""
    body = await request.body()
    signature = request.headers.get(receipts.SIGNATURE.lower())
    told = await anyio.to_thread.run_sync(receipts.receive, core, channel, body, signature)
    return {"accepted": told}


def _leaving_page(
    request: Asked, core: AnyCore, token: str, shown: leaving.Leaving, *, told: bool = False
) -> Response[str]:
    return draw(
        request,
        core,
        "public_unsubscribe.html",
        known=shown.language,
        token=token,
        shown=shown,
        told=told,
        reasons=leaving.REASONS,
        signal=heard(request, core, shown.subject_id),
    )


ROUTES = [opened, clicked, unsubscribe_page, unsubscribe, again, reason, receipt]
