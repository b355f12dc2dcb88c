"""The door for webhooks: `POST /v1/hooks/{name}`, proven, mapped, and answered when it is durable.

Writes  the log   the calls of the mapping, through intake; and the body of what could not be mapped

What a call becomes goes through intake as a client's batch would, with the source's key, so whatever
holds there holds here. A body that a rule can't map is kept whole under `hook:{name}`, and loading
puts it into quarantine, from where it is mapped again. 2xx is said only when both are durable; what
is refused for now is 503, and the system will call again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from spira.collect import sources
from spira.collect.emit import Appendable
from spira.collect.envelope import VIA_HOOK, Accepted, encode
from spira.collect.front import Asgi, hand_on, send_whole
from spira.collect.hooks.bodies import Heard, kept_body, mapped_body
from spira.collect.hooks.calls import HookCalls
from spira.collect.hooks.definition import HookDefinition, Signing
from spira.collect.hooks.mapping import ENCODER, Mapped
from spira.collect.hooks.signing import NotProven, prove
from spira.definitions.apply import Applied
from spira.kernel.clock import Clock, RealClock
from spira.kernel.durations import parse_duration
from spira.kernel.errors import LogUnavailable, NotFound, WorkspaceInvalid
from spira.kernel.settings import Settings
from spira.storage.state import State

PREFIX = "/v1/hooks/"
LOGGER = logging.getLogger("spira.collect")
_NOTHING: tuple[Any, ...] = ()


class Hearing(Protocol):
    """What the door needs of the core."""

    settings: Settings

    @property
    def applied(self) -> Applied: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def state(self) -> State: ...
    @property
    def log(self) -> Appendable: ...
    @property
    def intake(self) -> Asgi: ...


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What was done with a call."""

    code: str = "ok"
    detail: str = ""
    events: int = 0
    quarantined: int = 0
    rejected: tuple[Any, ...] = ()


class Hooks:
    """The ASGI callable for `/v1/hooks/…`. `wall` is the clock that senders go by."""

    def __init__(self, core: Hearing, calls: HookCalls, *, wall: Clock | None = None) -> None:
        self._core = core
        self._calls = calls
        self._wall = wall or RealClock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one call."""
        name = scope["path"].removeprefix(PREFIX).strip("/")[:100]
        size, known = 0, True
        try:
            hook = self._hook(name)
            if hook is None:
                known = False
                raise _Refused(404, "not_found", f"there is no hook `{name}`")
            if scope["method"] != "POST":
                raise _Refused(405, "method_not_allowed", "a hook is called with POST")
            body = await _body(receive, self._core.settings.collect.max_batch_bytes)
            size = len(body)
            answer = await self._take(hook, scope, body)
        except _Gone:
            return
        except _Refused as refused:
            if known:
                self._note(name, refused.status, refused.code, refused.message, events=0, size=size)
            await _say(send, refused.status, {"success": False, "code": refused.code, "message": refused.message})
            return
        self._note(name, 200, answer.code, answer.detail, events=answer.events, size=size)
        told: dict[str, Any] = {"success": True, "accepted": answer.events, "quarantined": answer.quarantined}
        more = {"rejected": answer.rejected} if answer.rejected else {}
        await _say(send, 200, told | ({"result": answer.code} if answer.code != "ok" else {}) | more)

    async def _take(self, hook: HookDefinition, scope: Any, body: bytes) -> _Answer:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        nonce = self._prove(hook.sign, headers, body) if hook.sign != "none" else None
        now = self._wall.now()
        if nonce is not None and self._calls.was_seen(hook.hook, nonce, at=now):
            return _Answer(code="duplicate", detail="this very call came before")
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        heard = Heard(headers=headers, query=query, body=body)
        mapped = mapped_body(hook, heard)
        events, rejected = 0, _NOTHING
        if mapped.calls:
            events, rejected = await self._hand_on(hook, mapped)
        if mapped.faults:
            await self._keep(hook, heard, mapped.faults)
        if nonce is not None and not isinstance(hook.sign, str):
            until = now + 2 * parse_duration(hook.sign.tolerance) + timedelta(seconds=1)
            self._calls.remember(hook.hook, nonce, until=until)
        code = "ignored" if mapped.ignored else "quarantined" if mapped.faults or rejected else "ok"
        detail = "; ".join(mapped.faults) or "; ".join(str(each.get("message")) for each in rejected)
        return _Answer(
            code=code, detail=detail, events=events, quarantined=int(bool(mapped.faults)), rejected=tuple(rejected)
        )

    def _hook(self, name: str) -> HookDefinition | None:
        found = self._core.applied.find("hook", name)
        return None if found is None else found.model

    def _prove(self, signing: Signing | str, headers: Mapping[str, str], body: bytes) -> str:
        if isinstance(signing, str):
            raise TypeError(signing)
        try:
            return prove(signing, headers, body, now=self._wall.now())
        except NotProven as fault:
            raise _Refused(401, fault.code, str(fault)) from None
        except (WorkspaceInvalid, ValueError) as fault:
            LOGGER.error("a hook's secret can't be used: %s", fault)
            raise _Refused(503, "no_secret", "the secret of this hook is not set on our side") from None

    async def _hand_on(self, hook: HookDefinition, mapped: Mapped) -> tuple[int, tuple[Any, ...]]:
        """The calls through intake, as a batch of the hook's source; how many were taken, and what was refused."""
        try:
            source = sources.get(self._core.state, hook.source)
        except NotFound:
            source = None
        if source is None or source.ended_at is not None:
            raise _Refused(503, "no_source", f"the source `{hook.source}` of this hook does not take calls")
        batch = ENCODER.encode({"writeKey": source.write_key, "batch": mapped.calls})
        status, _, said = await hand_on(self._core.intake, "/v1/batch", batch)
        if status != 200:
            raise _Refused(status, str(said.get("code", "refused")), str(said.get("message", "")))
        rejected = tuple(said.get("rejected", ()))
        return len(mapped.calls) - len(rejected), rejected

    async def _keep(self, hook: HookDefinition, heard: Heard, faults: tuple[str, ...]) -> None:
        """Keep a body that could not be mapped; loading puts it into quarantine, sealed."""
        kept = kept_body(hook.hook, heard, faults)
        record = Accepted(hook.source, self._core.clock.now(), f"{VIA_HOOK}{hook.hook}", kept)
        try:
            await self._core.log.append_soon(encode(record))
        except LogUnavailable as fault:
            raise _Refused(503, "log_unavailable", str(fault)) from None

    def _note(self, hook: str, status: int, code: str, detail: str, *, events: int, size: int) -> None:
        at = self._core.clock.now()
        self._calls.note(hook, at=at, status=status, code=code, detail=detail[:500], events=events, size=size)


class _Gone(Exception):
    """The caller went away before its body was here."""


async def _body(receive: Any, largest: int) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > largest:
            raise _Refused(413, "too_large", f"the body is more than {largest} bytes")
    return b"".join(parts)


async def _say(send: Any, status: int, said: dict[str, Any]) -> None:
    body = msgspec.json.encode(said)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
               (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]  # fmt: skip
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send_whole(send, status, headers, body)
