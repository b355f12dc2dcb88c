"""Signing in and out, the code of a second factor, setting a password through a one-time link, how one likes to read.

Looking at a one-time link does not use it up, so that a mail scanner can't; setting the
password does. Each step makes a new secret: what was known before a step opens nothing after it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.render import THEMES, page
from spira.kernel.clock import Clock
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import LANGUAGES
from spira.server import faults, second_factor, sessions
from spira.server.auth import (
    HALF_COOKIE,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    THEME_COOKIE,
    Door,
    Proof,
    cookie,
    origin_of,
    secure_cookies,
)
from spira.server.core import AnyCore, Core, audit
from spira.server.errors import WeakPassword
from spira.server.passwords import MINIMUM, check
from spira.server.staff import Staff, set_password, set_preferences, viewer_of
from spira.server.whereabouts import agent_of, coarse

Asked = Request[Any, Any, Any]
_YEAR = 31_536_000
_DOOR = {"public": True, "cost": "sign_in"}
# Forms that change nothing: what one of them answered is asked for again with the same fields.
REPEATED = ("/definitions/draft",)


@get("/sign-in", opt={"public": True}, sync_to_thread=True)
def sign_in_page(request: Asked, core: Core) -> Response[str]:
    """The form; whoever is signed in already goes on."""
    goal = safe_path(request.query_params.get("next", "/"))
    if request.scope.get("user"):
        return Redirect(path=goal)
    return page(request, core, "sign_in.html", email="", goal=goal, fault=None)


@post("/sign-in", opt=_DOOR, status_code=200)
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


@get("/sign-in/code", opt={"public": True}, sync_to_thread=True)
def code_page(request: Asked, core: Core) -> Response[str]:
    """The form for the code; without a right password before it, back to the first form."""
    goal = safe_path(request.query_params.get("next", "/"))
    if _owing(request, core) is None:
        return Redirect(path="/sign-in", query_params={"next": goal})
    return page(request, core, "sign_in_code.html", goal=goal, fault=None)


@post("/sign-in/code", opt=_DOOR, status_code=200)
async def give_code(request: Asked, core: Core) -> Response[str]:
    """Open a session, or show the form again with what is wrong."""
    form = await request.form()
    code = second_factor.Code(
        text=str(form.get("code", "")),
        origin=origin_of(request, core),
        allowed=core.settings.security.sign_in_attempts,
    )
    goal = safe_path(str(form.get("next", "/")))
    return await anyio.to_thread.run_sync(lambda: _code(request, core, code, goal), limiter=_door(request).sign_ins)


@get("/sign-in/{token:str}", opt=_DOOR, sync_to_thread=True)
def link_page(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Whom a one-time link is for, and the form for their password."""
    staff = sessions.staff_of_link(core.state, token, at=_wall(request).now())
    return _choose(request, core, staff)


@post("/sign-in/{token:str}", opt=_DOOR, status_code=200)
async def use_link(request: Asked, core: Core, token: FromPath[str]) -> Response[str]:
    """Set the password, use the link up, and open a session."""
    password = str((await request.form()).get("password", ""))
    return await anyio.to_thread.run_sync(lambda: _set(request, core, token, password), limiter=_door(request).sign_ins)


@post("/sign-out", opt={"enrolling": True}, status_code=303, sync_to_thread=True)
def sign_out(request: Asked, core: Core) -> Redirect:
    """End the session."""
    proof = request.scope.get("auth")
    if isinstance(proof, Proof) and proof.way == "session" and proof.staff:
        sessions.close_session(core.state, proof.secret)
        audit(core, viewer_of(core.state, proof.staff, language="en"), "staff.sign_out", proof.staff.staff_id)
    answer = Redirect(path="/sign-in", status_code=303)
    _forget(answer, core, SESSION_COOKIE)
    return answer


@post("/me/preferences", opt={"public": True}, status_code=303)
async def preferences(request: Asked, core: Core) -> Redirect:
    """Keep the language or the theme that was chosen, and go back to the page."""
    form = await request.form()
    language, theme = str(form.get("language", "")), str(form.get("theme", ""))
    chosen_language = language if language in LANGUAGES else None
    chosen_theme = theme if theme in THEMES else None
    goal = safe_path(str(form.get("next", "/")))
    # 307 has the browser post the same fields there; the plan of a text would otherwise lose the text
    answer = (
        Redirect(path=goal, status_code=307)
        if goal in REPEATED
        else Redirect(path=_where(request, goal), status_code=303)
    )
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


def _where(request: Asked, goal: str) -> str:
    """The page one came from, as its address was at last: a page that script has changed says it there."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.url.netloc or came.path != urlsplit(goal).path or not came.query:
        return goal
    return safe_path(f"{came.path}?{came.query}")


def safe_path(text: str) -> str:
    """A path of this server; anything that could lead elsewhere, however it is written, becomes the first page."""
    seen, _, query = text.partition("?")  # a query leads nowhere, whatever it says once it is read
    for _ in range(3):  # what a proxy or a browser may undo on the way
        local = seen.startswith("/") and not seen.startswith("//") and "\\" not in seen and seen.isprintable()
        if not local:
            return "/"
        seen = unquote(seen)
    return text if query.isprintable() else "/"


def _try(request: Asked, core: AnyCore, attempt: sessions.Attempt, goal: str) -> Response[str]:
    try:
        staff = sessions.sign_in(core.state, attempt, at=_wall(request).now())
    except SpiraError as error:
        fault = faults.fault_of(error)
        return page(
            request, core, "sign_in.html", status=fault.status, email=attempt.email, goal=goal, fault=fault.code
        )
    if not second_factor.has_factor(core.state, staff.staff_id):
        return _welcome(request, core, staff, goal)
    half = second_factor.open_half(core.state, staff.staff_id, at=_wall(request).now())
    answer = Redirect(path="/sign-in/code", query_params={"next": goal}, status_code=303)
    _keep(answer, core, HALF_COOKIE, half, seconds=int(second_factor.HALF_LIFE.total_seconds()))
    return answer


def _owing(request: Asked, core: AnyCore) -> Staff | None:
    secret = request.cookies.get(cookie(core, HALF_COOKIE))
    return second_factor.staff_of_half(core.state, secret, at=_wall(request).now()) if secret else None


def _code(request: Asked, core: AnyCore, code: second_factor.Code, goal: str) -> Response[str]:
    staff = _owing(request, core)
    if staff is None:
        return Redirect(path="/sign-in", query_params={"next": goal}, status_code=303)
    try:
        second_factor.check(core.state, core.keys, staff.staff_id, code, at=_wall(request).now())
    except SpiraError as error:
        fault = faults.fault_of(error)
        return page(request, core, "sign_in_code.html", status=fault.status, goal=goal, fault=fault.code)
    second_factor.close_half(core.state, request.cookies[cookie(core, HALF_COOKIE)])
    answer = _welcome(request, core, staff, goal)
    _forget(answer, core, HALF_COOKIE)
    return answer


def _set(request: Asked, core: AnyCore, token: str, password: str) -> Response[str]:
    now = _wall(request).now()
    staff = sessions.staff_of_link(core.state, token, at=now)
    if staff is None:
        return _choose(request, core, None)
    brand = core.settings.workspace.brand
    try:
        check(password, own=(staff.email, staff.name, brand))
    except WeakPassword as weak:
        return _choose(request, core, staff, weakness=weak.weakness)
    sessions.use_link(core.state, token, at=now)
    set_password(core.state, staff.staff_id, password, brand=brand)
    # The link proves what a password proves; a telephone that is enrolled is asked for as ever.
    if second_factor.has_factor(core.state, staff.staff_id):
        return Redirect(path="/sign-in", status_code=303)
    return _welcome(request, core, staff, "/")


def _choose(request: Asked, core: AnyCore, staff: Staff | None, *, weakness: str | None = None) -> Response[str]:
    status = 410 if staff is None else 422 if weakness else 200
    return page(request, core, "set_password.html", status=status, staff=staff, least=MINIMUM, weakness=weakness)


def _welcome(request: Asked, core: AnyCore, staff: Staff, goal: str) -> Redirect:
    settings = core.settings
    hours = settings.security.session_hours
    place = sessions.Place(
        agent=agent_of(request.headers.get("user-agent", "")), origin=coarse(origin_of(request, core))
    )
    secret = sessions.open_session(core.state, staff.staff_id, at=_wall(request).now(), hours=hours, place=place)
    audit(core, viewer_of(core.state, staff, language=settings.workspace.language), "staff.sign_in", staff.staff_id)
    answer = Redirect(path=goal, status_code=303)
    _keep(answer, core, SESSION_COOKIE, secret, seconds=hours * 3600)
    return answer


def _keep(answer: Redirect, core: AnyCore, name: str, secret: str, *, seconds: int) -> None:
    secure = secure_cookies(core)
    answer.set_cookie(
        cookie(core, name), secret, max_age=seconds, httponly=True, samesite="lax", secure=secure, path="/"
    )


def _forget(answer: Redirect, core: AnyCore, name: str) -> None:
    """End a cookie; a browser takes this from a `__Host-` one only as it was set."""
    _keep(answer, core, name, "", seconds=0)


def _door(request: Asked) -> Door:
    door: Door = request.app.state.door
    return door


def _wall(request: Asked) -> Clock:
    return _door(request).wall


ROUTES = [sign_in_page, sign_in, code_page, give_code, link_page, use_link, sign_out, preferences]
