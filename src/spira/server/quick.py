"""The quick way to the facts of a person: one route, answered before the framework.

    GET /api/profiles/{p_… or KIND:VALUE}/facts

with a bearer token, which is what shops, sites and apps send, hundreds of times a second. A token with a scope gets
the same at `/api/profiles/{…}`, since facts are all that it may read. Whatever is odd (a session, a token that is not
good, a role that sees nobody, one who asks too often, a copy that is not made yet) goes on to the route of the same
address in `server/api/facts.py`, which says what is wrong; the answers are the same.

Who a token is gets looked up once and is remembered until anything in the state is written, since that may have been
the end of the token, and for no longer than half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import anyio.to_thread
import msgspec

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule, rules_of
from spira.definitions.apply import Applied
from spira.kernel.errors import NotFound, SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.facts import hidden_tags
from spira.server.auth import Door, Proof
from spira.server.core import AnyCore, Asgi
from spira.server.errors import NotSignedIn, TooManyRequests
from spira.server.faults import fault_of
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.unify import facts
from spira.unify.facts import EVERYTHING

PREFIX, ENDING = "/api/profiles/", "/facts"
REMEMBERED = timedelta(seconds=30)
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose a token is: as of which write of the state, and until when that is believed."""

    viewer: Viewer
    proof: Proof
    written: int
    until: datetime


class Quick:
    """`app`, with the quick way in front of it."""

    def __init__(self, app: Asgi, core: AnyCore, door: Door) -> None:
        self._app = app
        self._core = core
        self._door = door
        self._known: dict[str, _Known] = {}
        self._applied: Applied | None = None
        self._hidden: frozenset[str] = frozenset()
        self._rules: Mapping[str, IdentifierRule] = BUILT_IN

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or let the framework."""
        token = _token(scope)
        named = _named(scope) if token else None
        if token is None or named is None or not self._core.facts.usable:
            return await self._app(scope, receive, send)
        try:
            known = await self._recognise(token)
            if known is None or not (named.endswith(ENDING) or known.proof.scope):
                return await self._app(scope, receive, send)
            if known.proof.staff is not None:
                self._door.count_facts(known.proof)
            status, told = self._answer(known, unquote(named.removesuffix(ENDING)))
        except (NotSignedIn, TooManyRequests):
            return await self._app(scope, receive, send)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told})
        return None

    def _answer(self, known: _Known, named: str) -> tuple[int, bytes]:
        applied = self._core.applied
        if self._applied is not applied:
            self._hidden, self._rules = hidden_tags(self._core), rules_of(applied.of("identifier"))
            self._applied = applied
        try:
            found = facts.quick(
                self._core.facts,
                known.viewer,
                named,
                keys=self._core.keys,
                leave_out=self._hidden,
                rules=self._rules,
                scope=known.proof.scope or EVERYTHING,
            )
        except NotFound as error:
            return _told(error)
        return 200, msgspec.json.encode(plain(found))

    async def _recognise(self, token: str) -> _Known | None:
        """Whose the token is, for a role that sees people; None for any other."""
        known, now = self._known.get(token), self._door.wall.now()
        if known is None or known.written != self._core.state.written or known.until <= now:
            known = await anyio.to_thread.run_sync(self._look_up, token, now)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = known
        return known if known.viewer.has(*PEOPLE) else None

    def _look_up(self, token: str, now: datetime) -> _Known:
        written = self._core.state.written
        viewer, proof = self._door.by_token(token, self._core.settings.workspace.language)
        until = now + REMEMBERED
        return _Known(viewer, proof, written, min(until, proof.until or until))


def _token(scope: Any) -> str | None:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PREFIX):
        return None
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() or None if kind.lower() == "bearer" else None
    return None


def _named(scope: Any) -> str | None:
    """What follows the prefix, still in the words of the address, where a value may hold a slash that is escaped."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    named = path.removeprefix(PREFIX)
    return named if path.startswith(PREFIX) and "/" not in named.removesuffix(ENDING) and named else None


def _told(error: SpiraError) -> tuple[int, bytes]:
    fault = fault_of(error)
    return fault.status, msgspec.json.encode({"code": fault.code, "message": fault.message, "help": fault.help})
