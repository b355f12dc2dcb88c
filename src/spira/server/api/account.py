"""`/api/account`, `/api/tokens`: one's own account, and what may be changed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody

from spira.server import account as own
from spira.server import second_factor, sessions
from spira.server.account import Me, me_of
from spira.server.core import Asking, Core, audit
from spira.server.staff import viewer_of
from spira.server.wire import plain
from spira.unify.facts import Scope

Asked = Request[Any, Any, Any]
PROVES = {"cost": "sign_in"}
ENROLS = {"cost": "sign_in", "enrolling": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A name for an API token, after how many days it ends (none is never), and the facts that are all it may read."""

    name: str
    days: int | None = None
    scope: Scope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """The present password and the one to come."""

    present: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCode:
    """The six digits that the telephone shows."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The password, and a code of the second factor or a recovery code."""

    password: str
    code: str


def note(me: Me, action: str, **detail: Any) -> None:
    """Write down what somebody did to their own account."""
    audit(me.core, viewer_of(me.core.state, me.staff, language="en"), action, me.id, **detail)


@get("/api/account", opt={"enrolling": True}, sync_to_thread=True)
def show_account(request: Asked, core: Core, viewer: Asking) -> dict[str, Any]:  # noqa: ARG001  (only for who asks)
    """One's own account: roles, sessions, tokens, second factor."""
    return plain(own.account(request, core))  # type: ignore[no-any-return]


@post("/api/account/password", opt=PROVES, status_code=200, sync_to_thread=True)
def change_password(request: Asked, core: Core, data: JSONBody[NewPassword]) -> dict[str, bool]:
    """Change one's password with the present one; other sessions end."""
    me = me_of(request, core)
    own.change_password(me, present=data.present, new=data.new)
    note(me, "account.password")
    return {"changed": True}


@post("/api/account/sessions/end-others", status_code=200, sync_to_thread=True)
def end_others(request: Asked, core: Core) -> dict[str, int]:
    """End all of one's sessions but the one that asks."""
    me = me_of(request, core)
    ended = sessions.close_others(core.state, me.id, but=me.session)
    note(me, "account.sessions_end", ended=ended)
    return {"ended": ended}


@post("/api/account/sessions/{session:str}/end", status_code=200, sync_to_thread=True)
def end_session(request: Asked, core: Core, session: FromPath[str]) -> dict[str, str]:
    """End one of one's sessions."""
    me = me_of(request, core)
    sessions.close_named(core.state, me.id, session)
    note(me, "account.session_end", session=session)
    return {"session": session}


@post("/api/tokens", status_code=201, sync_to_thread=True)
def new_token(request: Asked, core: Core, data: JSONBody[NewToken]) -> dict[str, str]:
    """Make a bearer token that may do what its maker may; it is shown this once.

    With a `scope` it reads facts of people and nothing else: `{"traits": ["city"], "tags": ["lifecycle"],
    "audiences": [], "consents": false}`; what is left out is all of its kind.
    """
    me = me_of(request, core)
    token = own.make_token(me, name=data.name, days=data.days, scope=data.scope)
    note(me, "account.token", name=data.name, days=data.days, scoped=data.scope is not None)
    return {"name": data.name, "token": token}


@post("/api/account/tokens/{token:str}/revoke", status_code=200, sync_to_thread=True)
def revoke_token(request: Asked, core: Core, token: FromPath[str]) -> dict[str, str]:
    """End one of one's tokens; programs that use it are refused at once."""
    me = me_of(request, core)
    sessions.revoke_token(core.state, me.id, token)
    note(me, "account.token_revoke", token=token)
    return {"token": token}


@post("/api/account/second-factor", opt=ENROLS, status_code=200, sync_to_thread=True)
def begin_factor(request: Asked, core: Core) -> dict[str, str]:
    """Begin to enrol a telephone: the secret and its QR code's address; no code is asked for before a first one."""
    me = me_of(request, core)
    secret = second_factor.begin(core.state, core.keys, me.id, at=me.at)
    note(me, "account.second_factor_begin")
    brand = core.settings.workspace.brand
    return {"secret": secret, "address": second_factor.address_of(secret, email=me.staff.email, brand=brand)}


@post("/api/account/second-factor/confirm", opt=ENROLS, status_code=200, sync_to_thread=True)
def confirm_factor(request: Asked, core: Core, data: JSONBody[TypedCode]) -> dict[str, Any]:
    """Turn the second factor on with a first code; the answer has ten recovery codes, shown this once."""
    me = me_of(request, core)
    codes = own.confirm_factor(me, data.code)
    note(me, "account.second_factor_on")
    return {"recovery_codes": list(codes)}


@post("/api/account/second-factor/off", opt=PROVES, status_code=200, sync_to_thread=True)
def end_factor(request: Asked, core: Core, data: JSONBody[Proven]) -> dict[str, bool]:
    """Turn the second factor off, with the password and a code."""
    me = me_of(request, core)
    own.end_factor(me, password=data.password, code=data.code)
    note(me, "account.second_factor_off")
    return {"on": False}


@post("/api/account/recovery-codes", opt=PROVES, status_code=200, sync_to_thread=True)
def new_codes(request: Asked, core: Core, data: JSONBody[Proven]) -> dict[str, Any]:
    """Ten new recovery codes, shown this once; those before no longer work."""
    me = me_of(request, core)
    codes = own.fresh_recovery_codes(me, password=data.password, code=data.code)
    note(me, "account.recovery_codes")
    return {"recovery_codes": list(codes)}


ROUTES = [
    show_account,
    change_password,
    end_others,
    end_session,
    new_token,
    revoke_token,
    begin_factor,
    confirm_factor,
    end_factor,
    new_codes,
]
