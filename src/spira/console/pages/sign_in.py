"""Signing in and out, setting a password through a one-time link, and how one likes to read.

Looking at a one-time link does not use it up, so that a mail scanner can't; setting the
password does.
"""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.render import THEMES, page
from spira.kernel.clock import Clock
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import LANGUAGES
from spira.server import faults, sessions
from spira.server.auth import LANGUAGE_COOKIE, SESSION_COOKIE, THEME_COOKIE, Door, Proof, origin_of, secure_cookies
from spira.server.core import AnyCore, Core, audit
from spira.server.secrets import MINIMUM_PASSWORD
from spira.server.staff import Staff, set_password, set_preferences, viewer_of

Asked = Request[Any, Any, Any]
_YEAR = 31_536_000


@get("/sign-in", opt={"public": True}, sync_to_thread=True)
def sign_in_page(request: Asked, core: Core) -> Response[str]:
    """The form; whoever is signed in already goes on."""
    goal = safe_path(request.query_params.get("next", "/"))
    if request.scope.get("user"):
        return Redirect(path=goal)
    return page(request, core, "sign_in.html", email="", goal=goal, fault=None)


@post("/sign-in", opt={"public": True}, status_code=200)
async def sign_in(request: Asked, core: Core) -> Response[str]:
    """Open a session, or show the form again with what is wrong."""
    form = await request.form()
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    goal = safe_path(str(form.get("next", "/")))
    attempt = sessions.Attempt(
        email=email,
        password=password,
        origin=origin_of(request, core),
        allowed=core.settings.security.sign_in_attempts,
    )
    return await anyio.to_thread.run_sync(lambda: _try(request, core, attempt, goal), limiter=_door(request).sign_ins)


@get("/sign-in/{token:str}", opt={"public": True}, sync_to_thread=True)
def link_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Whom a one-time link is for, and the form for their password."""
    staff = sessions.staff_of_link(core.state, token, at=_wall(request).now())
    return page(
        request,
        core,
        "set_password.html",
        status=200 if staff else 410,
        staff=staff,
        least=MINIMUM_PASSWORD,
        fault=None,
    )


@post("/sign-in/{token:str}", opt={"public": True}, status_code=200)
async def use_link(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Set the password, use the link up, and open a session."""
    password = str((await request.form()).get("password", ""))
    return await anyio.to_thread.run_sync(lambda: _set(request, core, token, password), limiter=_door(request).sign_ins)


@post("/sign-out", status_code=303, sync_to_thread=True)
def sign_out(request: Asked, core: Core) -> Redirect:
    """End the session."""
    secret = request.cookies.get(SESSION_COOKIE)
    if secret:
        sessions.close_session(core.state, secret)
    answer = Redirect(path="/sign-in", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@post("/me/preferences", opt={"public": True}, status_code=303)
async def preferences(request: Asked, core: Core) -> Redirect:
    """Keep the language or the theme that was chosen, and go back to the page."""
    form = await request.form()
    language, theme = str(form.get("language", "")), str(form.get("theme", ""))
    chosen_language = language if language in LANGUAGES else None
    chosen_theme = theme if theme in THEMES else None
    answer = Redirect(path=safe_path(str(form.get("next", "/"))), status_code=303)
    for name, value in ((LANGUAGE_COOKIE, chosen_language), (THEME_COOKIE, chosen_theme)):
        if value:
            answer.set_cookie(name, value, max_age=_YEAR, samesite="lax", path="/")
    proof = request.scope.get("auth")
    if isinstance(proof, Proof) and proof.staff:
        staff_id = proof.staff.staff_id
        await anyio.to_thread.run_sync(
            lambda: set_preferences(core.state, staff_id, language=chosen_language, theme=chosen_theme)
        )
    return answer


def safe_path(text: str) -> str:
    """A path of this server; anything that could lead elsewhere becomes the first page."""
    local = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if local else "/"


def _try(request: Asked, core: AnyCore, attempt: sessions.Attempt, goal: str) -> Response[str]:
    try:
        staff = sessions.sign_in(core.state, attempt, at=_wall(request).now())
    except SpiraError as error:
        fault = faults.fault_of(error)
        return page(
            request, core, "sign_in.html", status=fault.status, email=attempt.email, goal=goal, fault=fault.code
        )
    return _welcome(request, core, staff, goal)


def _set(request: Asked, core: AnyCore, token: str, password: str) -> Response[str]:
    now = _wall(request).now()
    staff = sessions.staff_of_link(core.state, token, at=now)
    if staff is None or len(password) < MINIMUM_PASSWORD:
        status, fault = (422, "E007") if staff else (410, None)
        return page(request, core, "set_password.html", status=status, staff=staff, least=MINIMUM_PASSWORD, fault=fault)
    sessions.use_link(core.state, token, at=now)
    set_password(core.state, staff.staff_id, password)
    return _welcome(request, core, staff, "/")


def _welcome(request: Asked, core: AnyCore, staff: Staff, goal: str) -> Response[str]:
    settings = core.settings
    hours = settings.security.session_hours
    secret = sessions.open_session(core.state, staff.staff_id, at=_wall(request).now(), hours=hours)
    audit(core, viewer_of(core.state, staff, language=settings.workspace.language), "staff.sign_in", staff.staff_id)
    answer = Redirect(path=goal, status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=hours * 3600,
        httponly=True,
        samesite="lax",
        secure=secure_cookies(core),
        path="/",
    )
    return answer


def _door(request: Asked) -> Door:
    door: Door = request.app.state.door
    return door


def _wall(request: Asked) -> Clock:
    return _door(request).wall


ROUTES = [sign_in_page, sign_in, link_page, use_link, sign_out, preferences]
