"""One's own account: who one is, where one is signed in, what acts for one, and what proves that one is oneself.

Reads   `staff`, `sessions`, `tokens`, `second_factors`, `units`
Writes  through `server.staff`, `server.sessions` and `server.second_factor`

Whoever changes what proves them proves it again first. The commands of the machine itself are
nobody's account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spira.kernel.errors import NotAllowed
from spira.kernel.viewer import Role
from spira.server import attempts, second_factor, sessions
from spira.server.auth import Asked, Proof, origin_of, wall_of
from spira.server.core import AnyCore
from spira.server.errors import NotSignedIn, Unacceptable
from spira.server.roles import PEOPLE
from spira.server.second_factor import Code, FactorView
from spira.server.secrets import digest, password_matches
from spira.server.sessions import SessionView, TokenView
from spira.server.staff import Staff, set_password
from spira.unify.facts import Scope
from spira.unify.units import all_units

LONGEST_DAYS = 3_650


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """Everything about one's own account."""

    local: bool = field(metadata={"help": "whether it is a command on the machine itself, which has no account"})
    name: str = field(metadata={"help": "what one is called"})
    email: str | None = field(metadata={"help": "what one signs in with"})
    roles: tuple[Role, ...] = field(metadata={"help": "what one may do"})
    unit: str | None = field(metadata={"help": "the unit one belongs to; none is the whole brand"})
    language: str | None = field(metadata={"help": "the language one chose"})
    theme: str | None = field(metadata={"help": "the theme one chose"})
    second_factor: FactorView = field(metadata={"help": "how it stands with the second factor"})
    required: bool = field(metadata={"help": "whether everybody here needs a second factor"})
    sessions: tuple[SessionView, ...] = field(metadata={"help": "where one is signed in"})
    tokens: tuple[TokenView, ...] = field(metadata={"help": "programs that act for one"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The one who asks, and what is needed to change something of theirs. `session` is None for a program."""

    core: AnyCore
    staff: Staff
    session: str | None
    origin: str
    at: datetime

    @property
    def id(self) -> str:
        """Their id."""
        return self.staff.staff_id

    def code(self, text: str) -> Code:
        """A code they typed."""
        return Code(text=text, origin=self.origin, allowed=self.core.settings.security.sign_in_attempts)


def me_of(request: Asked, core: AnyCore) -> Me:
    """Whoever asks, as one with an account; NotAllowed for the machine's own commands."""
    proof = request.scope.get("auth")
    if not isinstance(proof, Proof) or proof.staff is None:
        raise NotAllowed("commands on the server's machine have no account", help="sign in as somebody")
    session = proof.secret if proof.way == "session" else None
    return Me(core=core, staff=proof.staff, session=session, origin=origin_of(request, core), at=wall_of(request).now())


def account(request: Asked, core: AnyCore) -> AccountView:
    """The account of whoever asks."""
    proof, viewer = request.scope.get("auth"), request.scope["user"]
    staff = proof.staff if isinstance(proof, Proof) else None
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}
    at = wall_of(request).now()
    this = proof.secret if isinstance(proof, Proof) and proof.way == "session" else None
    return AccountView(
        local=staff is None,
        name=viewer.name,
        email=staff.email if staff else None,
        roles=tuple(sorted(viewer.roles)),
        unit=units.get(staff.unit_id) if staff and staff.unit_id is not None else None,
        language=staff.language if staff else None,
        theme=staff.theme if staff else None,
        second_factor=second_factor.view(core.state, staff.staff_id) if staff else FactorView(on=False),
        required=core.settings.security.second_factor == "required",
        sessions=sessions.sessions_of(core.state, staff.staff_id, at=at, this=this) if staff else (),
        tokens=sessions.tokens_of(core.state, staff.staff_id) if staff else (),
    )


def change_password(me: Me, *, present: str, new: str) -> None:
    """Another password; every session but the one that asks ends."""
    prove(me, present)
    keep = digest(me.session) if me.session else None
    set_password(me.core.state, me.id, new, brand=me.core.settings.workspace.brand, keep=keep)


def prove(me: Me, password: str) -> None:
    """Unacceptable unless it is their password; failures are counted with those of signing in."""
    whence, allowed = (f"as:{me.staff.email}",), me.core.settings.security.sign_in_attempts
    attempts.refuse_more(me.core.state, whence, allowed=allowed, at=me.at)
    if not password_matches(me.staff.password_hash, password):
        attempts.count(me.core.state, whence, at=me.at)
        raise Unacceptable("the present password is wrong", help="type the one you sign in with")


def make_token(me: Me, *, name: str, days: int | None, scope: Scope | None = None) -> str:
    """A token that may do what its maker may, or with a `scope` only read those facts of people; told this once."""
    if scope is not None and not me.staff.roles & set(PEOPLE):
        raise NotAllowed("your role sees figures, not single people", help="ask one who sees people to make the token")
    if not name.strip() or len(name) > 100:
        raise Unacceptable("a token needs a name of at most 100 characters", help="say what will use it")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Unacceptable(f"a token ends after 1 to {LONGEST_DAYS} days, or never")
    return sessions.make_token(me.core.state, me.id, name=name.strip(), at=me.at, days=days, scope=scope)


def confirm_factor(me: Me, code: str) -> tuple[str, ...]:
    """Turn the second factor on; the recovery codes, told this once. Other sessions end: they gave no code."""
    try:
        codes = second_factor.confirm(me.core.state, me.core.keys, me.id, me.code(code), at=me.at)
    except NotSignedIn as wrong:
        raise Unacceptable(str(wrong), help=wrong.help) from None
    sessions.close_others(me.core.state, me.id, but=me.session)
    return codes


def end_factor(me: Me, *, password: str, code: str) -> None:
    """Turn the second factor off, with the password and a code."""
    _prove_both(me, password, code)
    second_factor.turn_off(me.core.state, me.id)


def fresh_recovery_codes(me: Me, *, password: str, code: str) -> tuple[str, ...]:
    """Ten new recovery codes, told this once, with the password and a code."""
    _prove_both(me, password, code)
    return second_factor.new_recovery_codes(me.core.state, me.id)


def _prove_both(me: Me, password: str, code: str) -> None:
    if not second_factor.has_factor(me.core.state, me.id):
        raise Unacceptable("there is no second factor to change", help="enrol one first")
    prove(me, password)
    try:
        second_factor.check(me.core.state, me.core.keys, me.id, me.code(code), at=me.at)
    except NotSignedIn as wrong:
        raise Unacceptable(str(wrong), help=wrong.help) from None
