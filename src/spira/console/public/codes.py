"""The way to one's preferences without a message: an address, a code sent to it, and the page."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.response import Redirect

from spira.console.public.frame import HEADERS, draw, reads
from spira.engage import codes
from spira.engage.delivery.gate import REASONS
from spira.kernel.i18n import catalogue, say
from spira.server.auth import origin_of, wall_of
from spira.server.core import AnyCore, Core
from spira.storage import audit as audits

Asked = Request[Any, Any, Any]
PATH = "/preferences"
_LOOK = {"public": True, "cost": "public"}
_OPEN = {"public": True, "open_post": True, "cost": "public"}  # nobody is signed in; limits keep machines out


@get(PATH, opt=_LOOK, sync_to_thread=True)
def ask_page(request: Asked, core: Core) -> Response[str]:
    """Ask for the address."""
    return draw(request, core, "public_code.html", challenge="", wrong="")


@post(PATH, opt=_OPEN, status_code=200)
async def ask(request: Asked, core: Core) -> Response[str]:
    """Send a code, if the address is known; the answer is the same if it is not."""
    text = str((await request.form()).get("address", ""))
    language = reads(request, core)
    asking = partial(
        codes.ask,
        core,
        _counts(request),
        text,
        visitor=origin_of(request, core),
        now=wall_of(request).now(),
        letter=lambda code: _letter(core, language, code),
        send=request.app.state.send_code,
        told=partial(_told, core),
    )
    try:
        challenge = await anyio.to_thread.run_sync(asking)
    except codes.TooManyCodes:
        return await _drawn(request, core, challenge="", wrong="often", status=429)
    return await _drawn(request, core, challenge=challenge, wrong="")


@post(f"{PATH}/code", opt=_OPEN, status_code=303)
async def enter(request: Asked, core: Core) -> Response[str] | Redirect:
    """Take the code, and lead to the preferences; a wrong one may be tried again."""
    form = await request.form()
    challenge, code = str(form.get("challenge", "")), str(form.get("code", ""))
    now = wall_of(request).now()
    try:
        token = await anyio.to_thread.run_sync(lambda: codes.answer(core, _counts(request), challenge, code, now=now))
    except codes.WrongCode:
        return await _drawn(request, core, challenge=challenge, wrong="code", status=403)
    return Redirect(path=f"/p/{token}", status_code=303, headers=HEADERS)


async def _drawn(request: Asked, core: AnyCore, *, challenge: str, wrong: str, status: int = 200) -> Response[str]:
    drawing = partial(draw, request, core, "public_code.html", status=status, challenge=challenge, wrong=wrong)
    return await anyio.to_thread.run_sync(drawing)


def _told(core: AnyCore, key: str, channel: str, outcome: str) -> None:
    """Write down under the address's HMAC that a code was sent, or that the gate withheld it and why."""
    withheld = outcome in REASONS
    action, detail = ("code.withheld", {"reason": outcome}) if withheld else ("code.send", {"outcome": outcome})
    audits.record(
        core.state, core.clock, actor="person", action=action, subject=key, detail={"channel": channel, **detail}
    )


def _counts(request: Asked) -> codes.Counts:
    counts: codes.Counts = request.app.state.code_counts
    return counts


def _letter(core: AnyCore, language: str, code: str) -> tuple[str, str]:
    """What the message with a code says."""
    texts, brand = catalogue("spira.console", language), core.settings.workspace.brand
    return say(texts, "code.subject", brand=brand), say(texts, "code.text", code=code, brand=brand)


ROUTES = [ask_page, ask, enter]
