"""Mapping: what one call of a webhook becomes, by its definition.

A rule that can't be carried out is a fault and spoils no other. A message id is made of the hook,
the call's own id, the rule and the item, so that the same call twice is one event each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spira.collect.calls import identity
from spira.collect.hooks.definition import HookDefinition, HookEvent
from spira.collect.hooks.paths import Called, Unmapped, as_time, find, members, over, value

ENCODER = msgspec.json.Encoder(decimal_format="number")
_IDS = ("user_id", "anonymous_id", "previous_id", "group_id")
_CAMEL = {"user_id": "userId", "anonymous_id": "anonymousId", "previous_id": "previousId", "group_id": "groupId"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What a call became: calls of the collection API, and what could not be made of it."""

    calls: tuple[dict[str, Any], ...] = field(metadata={"help": "the calls, as a client would send them"})
    faults: tuple[str, ...] = field(metadata={"help": "why it goes into quarantine; none when all of it was made"})
    ignored: bool = field(metadata={"help": "whether it is nothing, by the definition's own word"})


def map_call(hook: HookDefinition, called: Called, raw: bytes) -> Mapped:
    """The calls that a webhook's call becomes."""
    if any(holds(each, called) for each in hook.ignore):
        return Mapped(calls=(), faults=(), ignored=True)
    calls: list[dict[str, Any]] = []
    faults: list[str] = []
    named, matched = _id_of(hook, called, raw), 0
    for place, rule in enumerate(hook.events, 1):
        if not holds(rule.when, called):
            continue
        matched += 1
        try:
            calls += _made(hook, rule, called, f"hook-{hook.hook}-{named}-{place}")
        except Unmapped as wrong:
            faults.append(f"rule {place}: {wrong}")
    if not matched and hook.unmatched == "ignore":
        return Mapped(calls=(), faults=(), ignored=True)
    if not matched:
        faults.append("no rule takes such a call")
    return Mapped(calls=tuple(calls), faults=tuple(faults), ignored=False)


def holds(when: Mapping[str, Any], called: Called) -> bool:
    """Whether everything that a condition asks for is so; an empty one always is."""
    return all(_fits(find(path, called), wanted) for path, wanted in when.items())


def _fits(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        if "exists" in wanted:
            return (found is not None) == bool(wanted["exists"])
        return not _fits(found, wanted.get("not"))
    if isinstance(wanted, list):
        return any(_fits(found, each) for each in wanted)
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return bool(found == wanted)


def _made(hook: HookDefinition, rule: HookEvent, called: Called, named: str) -> Iterator[dict[str, Any]]:
    """The calls of one rule; all are made before one is used."""
    made = []
    for place, each in enumerate([called] if rule.each is None else over(rule.each, called)):
        own = value(rule.id, each)
        message_id = named if own is None else f"hook-{hook.hook}-{_id_text('id', own)}"
        made.append(_call(hook, rule, each, message_id if rule.each is None else f"{message_id}-{place}"))
    return iter(made)


def _call(hook: HookDefinition, rule: HookEvent, called: Called, message_id: str) -> dict[str, Any]:
    call: dict[str, Any] = {"type": rule.call, "messageId": message_id}
    for name in _IDS:
        told = value(getattr(rule, name), called)
        if told is not None and (named := identity(_id_text(name, told))) is not None:
            call[_CAMEL[name]] = named
    if "userId" not in call and "anonymousId" not in call:
        raise Unmapped("it names nobody")
    if rule.call == "track":
        event = value(rule.event, called)
        if not isinstance(event, str) or not event.strip():
            raise Unmapped("the event has no name")
        call["event"] = event
    if (at := value(rule.at, called)) is not None:
        call["timestamp"] = _instant(at)
    if rule.properties:
        call["properties"] = members(rule.properties, called)
    if rule.traits:
        call["traits"] = members(rule.traits, called)
    context: dict[str, Any] = {"library": {"name": f"hook {hook.hook}"}}
    if rule.campaign:
        context["campaign"] = members({str(name): told for name, told in rule.campaign.items()}, called)
    return call | {"context": context}


def _id_of(hook: HookDefinition, called: Called, raw: bytes) -> str:
    """The call's own id, or one made of what it says."""
    told = value(hook.id, called)
    if told is None or told == "" or not isinstance(told, str | int | float):
        return hashlib.sha256(raw).hexdigest()[:32]
    return _id_text("id", told)


def _id_text(name: str, told: Any) -> str:
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        raise Unmapped(f"`{name}` is neither a text nor a number")
    text = str(int(told)) if isinstance(told, float) and told.is_integer() else str(told).strip()
    return text if len(text) <= 200 else hashlib.sha256(text.encode()).hexdigest()


def _instant(told: Any) -> str:
    """An instant as calls tell it."""
    try:
        return as_time(told)
    except (ValueError, TypeError, OverflowError):
        raise Unmapped(f"`{str(told)[:60]}` is no instant") from None
