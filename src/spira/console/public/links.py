"""Links in messages and providers' receipts: opens, clicks, unsubscribing. No session, no script, no tracking."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.render import page
from spira.engage import receipts
from spira.server.core import Core

Asked = Request[Any, Any, Any]
# One-click unsubscribing (RFC 8058) and providers post without having seen a form; tokens and signatures stand for it.
_OPEN = {"public": True, "open_post": True}


@get("/o/{token:str}", opt={"public": True}, sync_to_thread=True)
def opened(core: Core, token: FromPath[str]) -> Response[bytes]:
    """The invisible image of a message."""
    image = receipts.opened(core, token.removesuffix(".gif"))
    return Response(content=image, media_type="image/gif", headers={"cache-control": "no-store"})


@get("/c/{token:str}", opt={"public": True}, sync_to_thread=True, status_code=302)
def clicked(core: Core, token: FromPath[str]) -> Redirect:
    """A link of a message; it leads where its signature says."""
    return Redirect(path=receipts.clicked(core, token), status_code=302)


@get("/u/{token:str}", opt={"public": True}, sync_to_thread=True)
def unsubscribe_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Ask whether to unsubscribe; looking changes nothing, because mail scanners look."""
    asked = receipts.unsubscribing(core, token)
    return page(request, core, "unsubscribe.html", seed=False, asked=asked, done=False)


@post("/u/{token:str}", opt=_OPEN, sync_to_thread=True, status_code=200)
def unsubscribe(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Unsubscribe; kept before the answer says so."""
    asked = receipts.unsubscribe(core, token)
    return page(request, core, "unsubscribe.html", seed=False, asked=asked, done=True)


@post("/receipts/{channel:str}", opt=_OPEN, status_code=200)
async def receipt(request: Asked, core: Core, channel: FromPath[str]) -> dict[str, int]:
    """What a provider says became of messages; signed, or refused."""
    body = await request.body()
    signature = request.headers.get(receipts.SIGNATURE.lower())
    told = await anyio.to_thread.run_sync(receipts.receive, core, channel, body, signature)
    return {"accepted": told}


ROUTES = [opened, clicked, unsubscribe_page, unsubscribe, receipt]
