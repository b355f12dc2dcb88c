"""`/api/hooks`: webhooks of other systems: what came of late and why it was refused, and what a call would become."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody

from spira.collect import sources
from spira.collect.envelope import VIA_HOOK
from spira.collect.hooks.bodies import Heard, mapped_body
from spira.collect.hooks.calls import HookCall, HookCalls
from spira.collect.hooks.definition import HookDefinition
from spira.collect.hooks.door import PREFIX
from spira.collect.hooks.mapping import ENCODER
from spira.collect.hooks.signing import secrets_of
from spira.kernel.errors import WorkspaceInvalid
from spira.server.core import AnyCore, Core, as_of
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain
from spira.unify.portrait import says

Asked = Request[Any, Any, Any]
LONGEST = 200_000  # characters of a call that is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRow:
    """One hook in the list."""

    hook: str = says("its name")
    label: Any = says("what people call it")
    source: str = says("the source that its events come through")
    scheme: str = says("how calls are proven: hmac, standard, stripe, token or none")
    trouble: str | None = says("why it can't take calls now: no_source or no_secret; none when it can")
    address: str = says("where the other system calls")
    taken: int = says("calls that were taken")
    refused: int = says("calls that were refused since then")
    waiting: int = says("bodies in quarantine that could not be mapped")
    last_at: datetime | None = says("when it was called last since then")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookList:
    """All hooks."""

    as_of: datetime = says("the instant the counts speak of")
    hooks: tuple[HookRow, ...] = says("the hooks, by name")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookView:
    """Everything that the page of one hook shows."""

    as_of: datetime = says("the instant the counts speak of")
    hook: HookRow = says("the hook")
    rules: tuple[str, ...] = says("what its rules make, in their order")
    codes: dict[str, int] = says("how calls have been answered, by code")
    calls: tuple[HookCall, ...] = says("the latest of them, newest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCall:
    """A call to try: its headers by name, and its body as text or as JSON."""

    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a call would become; nothing was written."""

    calls: tuple[dict[str, Any], ...] = says("the calls, as a client would send them")
    faults: tuple[str, ...] = says("why it would go into quarantine; none when all of it was made")
    ignored: bool = says("whether it is nothing, by the definition's own word")


def calls_of(request: Asked) -> HookCalls:
    """What the door for webhooks remembers."""
    found: HookCalls = request.app.state.hook_calls
    return found


def listing(core: AnyCore, calls: HookCalls) -> HookList:
    """Every hook with how it stands."""
    waiting = _waiting(core)
    rows = (_row(core, each, calls, waiting) for each in core.applied.of("hook"))
    return HookList(as_of=as_of(core), hooks=tuple(sorted(rows, key=lambda row: row.hook)))


def view(core: AnyCore, calls: HookCalls, name: str) -> HookView:
    """One hook in full."""
    hook = definition(core, name)
    return HookView(
        as_of=as_of(core),
        hook=_row(core, hook, calls, _waiting(core)),
        rules=tuple(_says(rule.call, rule.event) for rule in hook.events),
        codes=calls.codes(name),
        calls=calls.latest(name),
    )


def definition(core: AnyCore, name: str) -> HookDefinition:
    """The applied hook of a name; NotFound when there is none."""
    found: HookDefinition = core.applied.get("hook", name).model
    return found


def tried(hook: HookDefinition, headers: Mapping[str, str], body: bytes) -> Tried:
    """What a call would become."""
    made = mapped_body(hook, Heard(headers={name.lower(): value for name, value in headers.items()}, body=body))
    calls = json.loads(ENCODER.encode(made.calls))
    return Tried(calls=tuple(calls), faults=made.faults, ignored=made.ignored)


def body_of(written: Any) -> bytes:
    """The body of a call that is tried, as bytes."""
    body = written.encode() if isinstance(written, str) else msgspec.json.encode(written)
    if len(body) > LONGEST:
        raise Unacceptable(f"a call that is tried has at most {LONGEST} characters")
    return body


def _row(core: AnyCore, hook: HookDefinition, calls: HookCalls, waiting: Mapping[str, int]) -> HookRow:
    latest, codes = calls.latest(hook.hook), calls.codes(hook.hook)
    taken = sum(codes.get(code, 0) for code in ("ok", "quarantined", "ignored", "duplicate"))
    return HookRow(
        hook=hook.hook,
        label=hook.label,
        source=hook.source,
        scheme=hook.sign if isinstance(hook.sign, str) else hook.sign.scheme,
        trouble=_trouble(core, hook),
        address=f"{_base(core)}{PREFIX}{hook.hook}",
        taken=taken,
        refused=sum(codes.values()) - taken,
        waiting=waiting.get(hook.hook, 0),
        last_at=latest[0].at if latest else None,
    )


def _trouble(core: AnyCore, hook: HookDefinition) -> str | None:
    known = {each.source for each in sources.every(core.state) if each.ended_at is None}
    if hook.source not in known:
        return "no_source"
    try:
        if not isinstance(hook.sign, str):
            secrets_of(hook.sign)
    except WorkspaceInvalid:
        return "no_secret"
    return None


def _waiting(core: AnyCore) -> dict[str, int]:
    lane = core.lane()
    if "via" not in lane.columns("quarantine"):
        return {}
    return {name.removeprefix(VIA_HOOK): int(count) for name, count in lane.query(_WAITING, {"via": f"{VIA_HOOK}%"})}


def _says(call: str, event: Any) -> str:
    return event if call == "track" and isinstance(event, str) else call


def _base(core: AnyCore) -> str:
    server = core.settings.server
    return (core.public_url or server.public_url or f"http://{server.host}:{server.port}").rstrip("/")


_WAITING = """
select via, count(*) from quarantine
where via like $via and coalesce(outcome, '') not in ('loaded', 'duplicate') group by via
"""


@get("/api/hooks", opt=whole(CONNECT), sync_to_thread=True)
def list_hooks(request: Asked, core: Core) -> dict[str, Any]:
    """Every inbound webhook: whether it can take calls, and how many it took and refused."""
    return plain(listing(core, calls_of(request)))  # type: ignore[no-any-return]


@get("/api/hooks/{name:str}", opt=whole(CONNECT), sync_to_thread=True)
def show_hook(request: Asked, core: Core, name: FromPath[str]) -> dict[str, Any]:
    """One inbound webhook: its latest calls, and why some were refused."""
    return plain(view(core, calls_of(request), name))  # type: ignore[no-any-return]


@post("/api/hooks/{name:str}/test", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def test_hook(core: Core, name: FromPath[str], data: JSONBody[TriedCall]) -> dict[str, Any]:
    """What a call would become by the hook's mapping; nothing is written, and no signature is asked for."""
    return plain(tried(definition(core, name), data.headers, body_of(data.body)))  # type: ignore[no-any-return]


ROUTES = [list_hooks, show_hook, test_hook]
