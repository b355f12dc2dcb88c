"""Bodies: what a hook heard, as it is mapped, kept where that fails, and mapped again later.

What is kept has the body as it came and the headers that rules may ask for, without what proves
who called. Mapped again by a better definition it becomes the same calls under the same ids as it
would have at first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spira.collect.calls import BATCH
from spira.collect.envelope import VIA_HOOK
from spira.collect.hooks.definition import HookDefinition
from spira.collect.hooks.mapping import ENCODER, Mapped, map_call
from spira.collect.hooks.paths import Called

MOST_HEADERS = 40
_SECRET = re.compile(r"authori[sz]ation|cookie|secret|token|signature|password|api-?key|hmac", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One call as it came; names of headers are small."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class _Kept(msgspec.Struct):
    body: msgspec.Raw
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    text: bool = False


def mapped_body(hook: HookDefinition, heard: Heard) -> Mapped:
    """What a call becomes; a body that is no JSON is a fault."""
    try:
        told = msgspec.json.decode(heard.body)
        return map_call(hook, Called(body=told, headers=heard.headers, query=heard.query), heard.body)
    except RecursionError:
        fault = "the body is nested too deeply"
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        fault = f"the body is not JSON: {wrong}"
    return Mapped(calls=(), faults=(fault,), ignored=False)


def kept_body(hook: str, heard: Heard, faults: tuple[str, ...]) -> bytes:
    """What is kept of a call that could not be mapped."""
    whole: dict[str, Any] = {
        "hook": hook,
        "faults": faults,
        "headers": _harmless(heard.headers),
        "query": _harmless(heard.query),
    }
    if _is_json(heard.body):
        return msgspec.json.encode({**whole, "body": msgspec.Raw(heard.body)})
    return msgspec.json.encode({**whole, "text": True, "body": heard.body.decode("utf-8", "replace")})


def mapped_again(hooks: Mapping[str, HookDefinition], via: str, kept: bytes) -> tuple[str, bytes]:
    """How a kept body is read by the definitions in force: as a batch, or still as a body that can't be mapped."""
    name = via.removeprefix(VIA_HOOK)
    told = msgspec.json.decode(kept, type=_Kept)
    body = msgspec.json.decode(told.body, type=str).encode() if told.text else bytes(told.body)
    heard = Heard(body=body, headers=told.headers, query=told.query)
    hook = hooks.get(name)
    if hook is None:
        return via, kept_body(name, heard, (f"there is no hook `{name}`",))
    mapped = mapped_body(hook, heard)
    if mapped.calls and not mapped.faults:
        return BATCH, ENCODER.encode({"batch": mapped.calls})
    return via, kept_body(name, heard, mapped.faults or ("by its mapping it is nothing",))


def _harmless(named: Mapping[str, str]) -> dict[str, str]:
    """What may be kept beside a body: nothing that lets somebody call."""
    return {name: value for name, value in list(named.items())[:MOST_HEADERS] if not _SECRET.search(name)}


def _is_json(body: bytes) -> bool:
    try:
        body.decode()
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
