"""The door: every request is somebody's, unless its route says it is public.

It is closed by default. A route without `opt={"public": True}` needs a session cookie or a bearer
token; a session that changes something needs the token of its forms as well; a route that names
`roles` needs one of them, and one that says `whole` is closed to staff of single units. Whoever asks
too often waits; a route that costs much says so (`{"cost": …}`, `server/limits.py`). Where everybody
needs a second factor, a session without one opens only the routes to enrol (`{"enrolling": True}`).
What was found lies in the request's scope: `user` is the Viewer, `auth` is how they proved it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
import anyio.to_thread
from litestar import Request

from spira.kernel.clock import Clock
from spira.kernel.errors import NotAllowed
from spira.kernel.i18n import LANGUAGES, negotiated
from spira.kernel.ids import new_secret
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore
from spira.server.errors import FormExpired, NotSignedIn, SecondFactorNeeded
from spira.server.limits import FACTS, Limits
from spira.server.second_factor import has_factor
from spira.server.secrets import digest, form_token, same
from spira.server.sessions import bearer, staff_of_session
from spira.server.staff import Staff, viewer_of
from spira.unify.facts import Scope

SESSION_COOKIE = "spira_session"
HALF_COOKIE = "spira_half"
SEED_COOKIE = "spira_seed"
LANGUAGE_COOKIE = "spira_language"
THEME_COOKIE = "spira_theme"
FORM_FIELD = "csrf"
FORM_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How somebody proved who they are. `secret` is what their forms' token is made from.

    A `scope` bounds what a token may read; `until` is when it ends by itself.
    """

    way: str
    secret: str
    staff: Staff | None = None
    scope: Scope | None = None
    until: datetime | None = None

    @property
    def form_token(self) -> str:
        return form_token(self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the door needs: the house, the machine's clock, and the token of local commands.

    Passwords are tried one after the other: each costs 64 MB and a core for a moment, and failures
    are counted before the next is looked at.
    """

    core: AnyCore
    wall: Clock
    local_token: str
    limits: Limits = field(default_factory=Limits)
    sign_ins: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))

    async def __call__(self, request: Asked) -> None:
        """Let the request in or raise; called before every handler."""
        opt = request.route_handler.opt
        viewer, proof = await anyio.to_thread.run_sync(self.recognise, request)
        request.scope["user"], request.scope["auth"] = viewer, proof
        self._count(request, proof)
        if request.method not in _SAFE and proof.way != "token" and not opt.get("open_post"):
            await _check_form(request, proof)
        if opt.get("public"):
            return
        if viewer is None:
            raise NotSignedIn("nobody is signed in", help="sign in at /sign-in, or send a bearer token")
        if proof.scope is not None and not opt.get("scoped"):
            raise NotAllowed("this token reads facts of people, and nothing else", help="ask at /api/profiles/…/facts")
        roles = opt.get("roles")
        if roles and not viewer.has(*roles):
            raise NotAllowed("this needs another role than yours", help=f"ask one who is: {', '.join(sorted(roles))}")
        if opt.get("whole") and viewer.units is not None:
            raise NotAllowed(
                "this is about the whole brand, and you belong to a part of it", help="ask at the head office"
            )
        if self.core.settings.security.second_factor == "required" and not opt.get("enrolling"):
            await anyio.to_thread.run_sync(self._ask_for_factor, proof)

    def recognise(self, request: Asked) -> tuple[Viewer | None, Proof]:
        """Who asks, and how they prove it; nobody, with the visitor's seed, when they don't."""
        language = language_of(request, self.core)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self.by_token(token.strip(), language)
        secret = request.cookies.get(cookie(self.core, SESSION_COOKIE))
        idle = self.core.settings.security.idle_minutes
        staff = staff_of_session(self.core.state, secret, at=self.wall.now(), idle_minutes=idle) if secret else None
        if secret and staff:
            proof = Proof(way="session", secret=secret, staff=staff)
            return viewer_of(self.core.state, staff, language=language), proof
        return None, Proof(way="seed", secret=request.cookies.get(SEED_COOKIE) or new_secret())

    def _count(self, request: Asked, proof: Proof) -> None:
        """Commands of the machine itself are not counted; a visitor is known by the network address."""
        if proof.way == "token" and proof.staff is None:
            return
        cost = request.route_handler.opt.get("cost")
        if cost == FACTS:
            self.count_facts(proof)
            return
        who = f"at:{origin_of(request, self.core)}" if proof.way == "seed" else digest(proof.secret)
        allowed = self.core.settings.security.requests_per_minute
        self.limits.take(who, cost, per_minute=allowed, at=self.wall.now())

    def count_facts(self, proof: Proof) -> None:
        """Facts are asked for by whole sites and apps, so they have a bucket of their own."""
        allowed = self.core.settings.security.facts_per_minute
        self.limits.take(f"facts:{digest(proof.secret)}", None, per_minute=allowed, at=self.wall.now())

    def _ask_for_factor(self, proof: Proof) -> None:
        if proof.way == "session" and proof.staff and not has_factor(self.core.state, proof.staff.staff_id):
            raise SecondFactorNeeded("everybody here needs a second factor", help="enrol one at /account/second-factor")

    def by_token(self, token: str, language: str) -> tuple[Viewer, Proof]:
        """Who asks with a bearer token; NotSignedIn for one that is not good."""
        if same(token, self.local_token):
            return local_viewer(language), Proof(way="token", secret=token)
        found = bearer(self.core.state, token, at=self.wall.now())
        if found is None:
            raise NotSignedIn("the bearer token is not good", help="make a new one, or sign in at /sign-in")
        proof = Proof(way="token", secret=token, staff=found.staff, scope=found.scope, until=found.until)
        return viewer_of(self.core.state, found.staff, language=language), proof


def local_viewer(language: str) -> Viewer:
    """Whoever may read the workspace's key file: the commands run on the machine itself."""
    return Viewer(staff_id="local", name="local", roles=frozenset({"administrator"}), units=None, language=language)


def language_of(request: Asked, core: AnyCore) -> str:
    """The language a visitor chose, or else the one their browser likes best of ours, or the workspace's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return negotiated(request.headers.get("accept-language", "")) or core.settings.workspace.language


def secure_cookies(core: AnyCore) -> bool:
    """Whether cookies are for HTTPS only: when the settings say so, or the public address is one of HTTPS."""
    server = core.settings.server
    return server.secure_cookies or server.public_url.startswith("https://")


def cookie(core: AnyCore, name: str) -> str:
    """What the cookie `name` is called: with `__Host-` where it is for HTTPS, so that only this host can set it."""
    return f"__Host-{name}" if secure_cookies(core) else name


def origin_of(request: Asked, core: AnyCore) -> str:
    """The network address a request came from: the last one told that is not a trusted proxy's own.

    What a visitor writes into the header stands before what the proxies add, and is not believed.
    """
    trusted = core.settings.server.trusted_proxies
    direct = request.client.host if request.client else "unknown"
    told = [each.strip() for line in request.headers.getall("x-forwarded-for", []) for each in line.split(",")]
    for each in (direct, *reversed(told)):
        if each not in trusted:
            return each or "unknown"
    return direct


def wall_of(request: Asked) -> Clock:
    """The clock that sessions, links and codes go by."""
    wall: Clock = request.app.state.door.wall
    return wall


async def provide_viewer(request: Asked) -> Viewer:
    """The dependency `viewer`: the one who asks. Only routes behind the door have one."""
    viewer = request.scope.get("user")
    if not isinstance(viewer, Viewer):
        raise NotSignedIn("nobody is signed in", help="sign in at /sign-in, or send a bearer token")
    return viewer


async def _check_form(request: Asked, proof: Proof) -> None:
    sent = request.headers.get(FORM_HEADER)
    kind = request.headers.get("content-type", "")
    if sent is None and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        sent = (await request.form()).get(FORM_FIELD)
    if not isinstance(sent, str) or not same(sent, proof.form_token):
        raise FormExpired("this form is too old to be sent", help="reload the page and send it again")
