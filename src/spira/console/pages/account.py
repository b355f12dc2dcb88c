"""One's own account: password, sessions, tokens, and the second factor from the QR code to the recovery codes.

Tokens and recovery codes are shown on the answer to the form that made them, and never again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import anyio.to_thread
import segno
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say
from spira.server import account as own
from spira.server import second_factor, sessions
from spira.server.account import Me, me_of
from spira.server.api.account import ENROLS, PROVES, note
from spira.server.auth import Door
from spira.server.core import AnyCore, Core
from spira.server.errors import Unacceptable, WeakPassword
from spira.server.passwords import MINIMUM
from spira.unify.facts import Scope

Asked = Request[Any, Any, Any]
Form = Mapping[str, str]
DAYS = ("30", "90", "365", "")  # after which a token ends; never


@get("/account", opt={"data": "/api/account", "enrolling": True}, sync_to_thread=True)
def account_page(request: Asked, core: Core) -> Response[str]:
    """The page."""
    return _draw(request, core, None)


@post("/account/password", opt=PROVES, status_code=200)
async def change_password(request: Asked, core: Core) -> Response[Any]:
    """Another password; the other sessions end."""

    def carry_out(me: Me, form: Form) -> Response[Any]:
        own.change_password(me, present=form.get("present", ""), new=form.get("new", ""))
        note(me, "account.password")
        return done("/account", "password_changed")

    return await _carried(request, core, carry_out)


@post("/account/sessions/end-others", status_code=200)
async def end_others(request: Asked, core: Core) -> Response[Any]:
    """Every session but this one ends."""

    def carry_out(me: Me, _form: Form) -> Response[Any]:
        note(me, "account.sessions_end", ended=sessions.close_others(core.state, me.id, but=me.session))
        return done("/account", "sessions_ended")

    return await _carried(request, core, carry_out)


@post("/account/sessions/{session:str}/end", status_code=200)
async def end_session(request: Asked, core: Core, session: FromPath[str]) -> Response[Any]:
    """One session ends."""

    def carry_out(me: Me, _form: Form) -> Response[Any]:
        sessions.close_named(core.state, me.id, session)
        note(me, "account.session_end", session=session)
        return done("/account", "session_ended")

    return await _carried(request, core, carry_out)


@post("/account/tokens", status_code=201)
async def make_token(request: Asked, core: Core) -> Response[Any]:
    """A new token, shown this once."""

    def carry_out(me: Me, form: Form) -> Response[Any]:
        days = form.get("days", "")
        if days not in DAYS:
            raise Unacceptable(f"`{days}` is not one of the days that are offered")
        name, scope = form.get("name", ""), _scope(form)
        token = own.make_token(me, name=name, days=int(days) if days else None, scope=scope)
        note(me, "account.token", name=name, days=days, scoped=scope is not None)
        return page(request, core, "account_token.html", status=201, token=token, name=name)

    return await _carried(request, core, carry_out)


@post("/account/tokens/{token:str}/revoke", status_code=200)
async def revoke_token(request: Asked, core: Core, token: FromPath[str]) -> Response[Any]:
    """A token ends."""

    def carry_out(me: Me, _form: Form) -> Response[Any]:
        sessions.revoke_token(core.state, me.id, token)
        note(me, "account.token_revoke", token=token)
        return done("/account", "token_revoked")

    return await _carried(request, core, carry_out)


@get("/account/second-factor", opt={"data": None, "enrolling": True}, sync_to_thread=True)
def factor_page(request: Asked, core: Core) -> Response[str]:
    """What a second factor is, and the button that begins; one who has it manages it on the account's page."""
    shown = own.account(request, core)
    if shown.second_factor.on:
        return Redirect(path="/account")
    return page(request, core, "account_factor.html", local=shown.local, required=shown.required)


@post("/account/second-factor", opt=ENROLS, status_code=200)
async def begin_factor(request: Asked, core: Core) -> Response[Any]:
    """The QR code, and the form for a first code."""

    def carry_out(me: Me, _form: Form) -> Response[Any]:
        note(me, "account.second_factor_begin")
        return _enrol(request, me, None)

    return await _carried(request, core, carry_out)


@post("/account/second-factor/confirm", opt=ENROLS, status_code=200)
async def confirm_factor(request: Asked, core: Core) -> Response[Any]:
    """The recovery codes, shown this once; or the QR code again."""

    def carry_out(me: Me, form: Form) -> Response[Any]:
        try:
            codes = own.confirm_factor(me, form.get("code", ""))
        except Unacceptable as wrong:
            return _enrol(request, me, _said(request, wrong))
        note(me, "account.second_factor_on")
        return page(request, core, "account_codes.html", codes=codes, fresh=True)

    return await _carried(request, core, carry_out)


@post("/account/second-factor/off", opt=PROVES, status_code=200)
async def end_factor(request: Asked, core: Core) -> Response[Any]:
    """No code is asked for any longer."""

    def carry_out(me: Me, form: Form) -> Response[Any]:
        own.end_factor(me, password=form.get("password", ""), code=form.get("code", ""))
        note(me, "account.second_factor_off")
        return done("/account", "factor_off")

    return await _carried(request, core, carry_out)


@post("/account/recovery-codes", opt=PROVES, status_code=200)
async def new_codes(request: Asked, core: Core) -> Response[Any]:
    """Ten new recovery codes, shown this once."""

    def carry_out(me: Me, form: Form) -> Response[Any]:
        codes = own.fresh_recovery_codes(me, password=form.get("password", ""), code=form.get("code", ""))
        note(me, "account.recovery_codes")
        return page(request, core, "account_codes.html", codes=codes, fresh=False)

    return await _carried(request, core, carry_out)


def _scope(form: Form) -> Scope | None:
    """What the token may read, as it was typed: names with commas between, a dash for none, nothing for all."""
    if form.get("reads") != "facts":
        return None

    def named(text: str) -> tuple[str, ...] | None:
        names = tuple(filter(None, (each.strip() for each in re.split("[,，、\\s]", text))))
        return () if names == ("-",) else names or None

    kinds = {kind: named(form.get(kind, "")) for kind in ("traits", "tags", "audiences")}
    return Scope(**kinds, consents="no_consents" not in form)


def drawn(address: str) -> Markup:
    """A QR code as SVG: dark on light whatever the theme, since telephones want it so."""
    code = segno.make(address, error="m")
    # Without a size of its own it fits whatever room it is given; with one it would be cut off there.
    return Markup(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr"))


async def _carried(request: Asked, core: AnyCore, carry_out: Callable[[Me, Form], Response[Any]]) -> Response[Any]:
    """The form carried out for the one who asks, one after the other: passwords cost a core; or what is wrong."""
    form = {name: str(value) for name, value in (await request.form()).items()}

    def answer() -> Response[Any]:
        me = me_of(request, core)
        try:
            return carry_out(me, form)
        except SpiraError as error:
            return _draw(request, core, _said(request, error))

    door: Door = request.app.state.door
    return await anyio.to_thread.run_sync(answer, limiter=door.sign_ins)


def _said(request: Asked, error: SpiraError) -> Told:
    language = request.scope["user"].language
    if isinstance(error, WeakPassword):
        texts = catalogue("spira.console", language)
        message = say(texts, f"weakness.{error.weakness}")
        return Told(code=error.code, message=message, help=None, status=error.status)
    return told(error, language)


def _enrol(request: Asked, me: Me, fault: Told | None) -> Response[str]:
    secret = second_factor.begin(me.core.state, me.core.keys, me.id, at=me.at)
    brand = me.core.settings.workspace.brand
    address = second_factor.address_of(secret, email=me.staff.email, brand=brand)
    grouped = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return page(
        request,
        me.core,
        "account_enrol.html",
        status=fault.status if fault else 200,
        code=drawn(address),
        address=address,
        secret=grouped,
        fault=fault,
    )


def _draw(request: Asked, core: AnyCore, fault: Told | None) -> Response[str]:
    return page(
        request,
        core,
        "account.html",
        status=fault.status if fault else 200,
        data=own.account(request, core),
        fault=fault,
        least=MINIMUM,
        days=DAYS,
    )


ROUTES = [
    account_page,
    change_password,
    end_others,
    end_session,
    make_token,
    revoke_token,
    factor_page,
    begin_factor,
    confirm_factor,
    end_factor,
    new_codes,
]
