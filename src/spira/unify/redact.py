"""Redact: a record of the log without the people who were erased.

A call of an erased person is dropped; a call of someone else that only mentions one of their
identifiers keeps everything but the mention. A call without a message id that stays is given
the one it was loaded under, so that reading the log again makes no second event of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from spira.collect.calls import BATCH, BadBody, identity, pieces
from spira.collect.envelope import (
    VIA_HOOK,
    VIA_OWN,
    VIA_RECORD,
    Accepted,
    Attempt,
    Emitted,
    OwnEvent,
    Record,
    Replayed,
    Result,
    decode,
    encode,
    made_id,
)
from spira.collect.identifier_rules import BUILT_IN, IdentifierRule, carried
from spira.collect.identifiers import WRITINGS, kind_of_anonymous, normalise, written
from spira.storage.keys import Keys

Fields = dict[str, msgspec.Raw]
_IDS = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "anonymous_id"}
_FIELDS = msgspec.json.Decoder(Fields)
_ANY = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Whom to leave out: keys of identifiers, numbers of subjects and deliveries; only what came up to `until`.

    `rules` are the kinds of identifiers as the workspace declares them.
    """

    keys: frozenset[str]
    subjects: frozenset[int]
    deliveries: frozenset[int]
    until: datetime
    rules: Mapping[str, IdentifierRule] = field(default_factory=lambda: BUILT_IN)
    carried: Mapping[str, IdentifierRule] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "carried", carried(self.rules))


def redact(raw: bytes, erased: Erased, secrets: Keys) -> bytes | None:
    """The record without the erased: itself when they are not in it, None when nothing is left."""
    try:
        record = decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return raw
    fresh = _redacted(record, erased, secrets)
    if fresh is record:
        return raw
    return None if fresh is None else encode(fresh)


def mentions(call: bytes, erased: Erased, secrets: Keys) -> bool:
    """Whether the text of one call is of an erased person, or names one."""
    return _call(call, erased, secrets) != call or (_is_kept_body(call) and _names_anybody(call, erased, secrets))


def _redacted(record: Record, erased: Erased, secrets: Keys) -> Record | None:
    match record:
        case Attempt() | Result():
            return None if record.delivery_id in erased.deliveries and record.at <= erased.until else record
        case Emitted():
            kept = [each for each in record.events if not _is_about(each, erased, secrets)]
            if len(kept) == len(record.events) or record.received_at > erased.until:
                return record
            return Emitted(record.received_at, kept) if kept else None
        case Accepted():
            return record if record.received_at > erased.until else _accepted(record, erased, secrets)
        case Replayed():
            return _replayed(record, erased, secrets)


def _replayed(record: Replayed, erased: Erased, secrets: Keys) -> Replayed | None:
    request = record.request
    if request.received_at > erased.until:
        return record
    if request.via == VIA_OWN:
        try:
            own = msgspec.json.decode(request.body, type=OwnEvent)
        except msgspec.MsgspecError:
            return record
        return None if _is_about(own, erased, secrets) else record
    if request.via == VIA_RECORD:
        body = redact(request.body, erased, secrets)
        return None if body is None else _with(record, msgspec.structs.replace(request, body=body))
    fresh = _accepted(request, erased, secrets)
    return None if fresh is None else _with(record, fresh)


def _with(record: Replayed, request: Accepted) -> Replayed:
    same = request is record.request or request == record.request
    return record if same else msgspec.structs.replace(record, request=request)


def _is_about(event: OwnEvent, erased: Erased, secrets: Keys) -> bool:
    user = event.user_id is not None and _key(secrets, "user_id", event.user_id) in erased.keys
    return user or event.subject_id in erased.subjects


def _accepted(record: Accepted, erased: Erased, secrets: Keys) -> Accepted | None:
    if record.via.startswith(VIA_HOOK):
        return None if _names_anybody(record.body, erased, secrets) else record
    try:
        calls = pieces(record.body, record.via)
    except BadBody:
        return record
    kept = [_call(call, erased, secrets) for call in calls]
    whole = _fields(record.body) if record.via == BATCH else None
    shared = whole is not None and _strip_context(whole, erased, secrets)
    if not shared and all(fresh == call for fresh, call in zip(kept, calls, strict=True)):
        return record
    named = [_named(call, record, index) for index, call in enumerate(kept) if call is not None]
    if not named:
        return None
    if whole is None:
        return Accepted(record.source, record.received_at, record.via, named[0])
    whole["batch"] = msgspec.Raw(msgspec.json.encode([msgspec.Raw(call) for call in named]))
    return Accepted(record.source, record.received_at, record.via, msgspec.json.encode(whole))


def _call(call: bytes, erased: Erased, secrets: Keys) -> bytes | None:
    """The call's text without mentions of the erased; None when it is one of theirs."""
    told = _fields(call)
    if told is None:
        return call
    if _subject(told, secrets) in erased.keys:
        return None
    ids = [name for name, kind in _IDS.items() if _id(told, name, kind, secrets) in erased.keys]
    for name in ids:
        del told[name]
    traits = _strip_traits(told, erased, secrets)
    context = _strip_context(told, erased, secrets)
    return msgspec.json.encode(told) if ids or traits or context else call


def _is_kept_body(text: bytes) -> bool:
    """Whether it is a webhook's body that could not be mapped, with what is kept beside it."""
    told = _fields(text)
    return told is not None and told.keys() >= {"hook", "faults", "body"}


def _names_anybody(text: bytes, erased: Erased, secrets: Keys) -> bool:
    """Whether any value of a JSON text, whatever its place, is an identifier of an erased person."""
    waiting, seen = [_ANY.decode(text)], set[str]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif (told := identity(value if isinstance(value, str | int | float) else None)) is not None:
            seen.add(told)
    rules = erased.rules.values()
    named = ((rule.kind, normal) for told in seen for rule in rules if (normal := rule.normalise(told)) is not None)
    return any(secrets.subject_key(kind, normal) in erased.keys for kind, normal in named)


def _strip_context(told: Fields, erased: Erased, secrets: Keys) -> bool:
    """Remove erased identifiers from `context.traits` and `context.externalIds`; whether there were any."""
    context = _fields(bytes(told.get("context", b"")))
    if context is None:
        return False
    traits, externals = _strip_traits(context, erased, secrets), _strip_externals(context, erased, secrets)
    if not traits and not externals:
        return False
    told["context"] = msgspec.Raw(msgspec.json.encode(context))
    return True


def _strip_externals(context: Fields, erased: Erased, secrets: Keys) -> bool:
    """Remove erased identifiers from `externalIds`; whether there were any."""
    listed = _ANY.decode(context["externalIds"]) if "externalIds" in context else None
    if not isinstance(listed, list):
        return False
    kept = [each for each in listed if not (isinstance(each, dict) and _is_erased(each, erased, secrets))]
    if len(kept) == len(listed):
        return False
    context["externalIds"] = msgspec.Raw(msgspec.json.encode(kept))
    return True


def _is_erased(external: dict[str, Any], erased: Erased, secrets: Keys) -> bool:
    kind, value = external.get("type"), external.get("id")
    text = identity(value if isinstance(value, str | int | float) else None)
    if not isinstance(kind, str) or text is None:
        return False
    # The kind may have been declared otherwise when the call came: every way of writing it is tried.
    ways = {normal for writing in WRITINGS if (normal := written(writing, text)) is not None}
    return any(secrets.subject_key(kind, each) in erased.keys for each in ways)


def _strip_traits(told: Fields, erased: Erased, secrets: Keys) -> bool:
    """Remove erased identifiers from `traits`; whether there were any."""
    traits = _fields(bytes(told.get("traits", b"")))
    if traits is None:
        return False
    named = [(name, rule) for name, rule in erased.carried.items() if name in traits]
    gone = [name for name, rule in named if _carries(traits, name, rule, secrets) in erased.keys]
    if not gone:
        return False
    for name in gone:
        del traits[name]
    told["traits"] = msgspec.Raw(msgspec.json.encode(traits))
    return True


def _named(call: bytes, record: Accepted, index: int) -> bytes:
    """The call with the message id that it was loaded under."""
    told = _fields(call)
    if told is None or identity(_value(told, "messageId")) is not None:
        return call
    return msgspec.json.encode({**told, "messageId": made_id(record, index)})


def _subject(told: Fields, secrets: Keys) -> str | None:
    """The key of the call's subject, as loading names it."""
    return _id(told, "userId", "user_id", secrets) or _id(told, "anonymousId", "anonymous_id", secrets)


def _id(told: Fields, name: str, kind: str, secrets: Keys) -> str | None:
    value = identity(_value(told, name))
    if value is not None and kind == "anonymous_id":
        kind = kind_of_anonymous(value)
    return None if value is None else _key(secrets, kind, value)


def _carries(traits: Fields, name: str, rule: IdentifierRule, secrets: Keys) -> str | None:
    """The key of the identifier that a trait carries."""
    value = identity(_value(traits, name))
    normal = None if value is None else rule.normalise(value)
    return None if normal is None else secrets.subject_key(rule.kind, normal)


def _key(secrets: Keys, kind: str, value: str) -> str:
    return secrets.subject_key(kind, normalise(kind, value) or value)


def _value(told: Fields, name: str) -> str | int | float | None:
    value = _ANY.decode(told[name]) if name in told else None
    return value if isinstance(value, str | int | float) else None


def _fields(text: bytes) -> Fields | None:
    """A JSON object's parts, each as its own text; None for anything else."""
    try:
        return _FIELDS.decode(text) if text[:1] == b"{" else None
    except (msgspec.MsgspecError, RecursionError):
        return None
