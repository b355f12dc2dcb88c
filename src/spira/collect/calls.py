"""Calls: what one request of the collection API holds, in the shape that Segment's clients send.

A body is read as a whole in one go; when that fails, call by call, so that one bad call does
not spoil a batch. What is wrong with a call is a `Fault`, a value: intake tells the client,
and loading puts the call into quarantine, both by the functions below.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from spira.kernel.clock import parse_instant
from spira.kernel.settings import CollectSettings

Reason = Literal[
    "malformed",
    "too_large",
    "missing_identifier",
    "missing_event",
    "from_the_future",
    "wrong_type",
    "unknown_event",
]
TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})
BATCH = "batch"
DEEPEST = 64  # levels of arrays and objects in one call

Id = str | int | float | None
_NOTHING = msgspec.Raw(b"")
_EMPTY = frozenset({b"", b"null"})
_NOBODY = frozenset({"null", "undefined", "none", "nan", "[object object]"})
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class Fault(msgspec.Struct, frozen=True):
    """Why a call can't become an event."""

    reason: Reason
    detail: str


class Call(msgspec.Struct, rename="camel"):
    """One call. What is not read here is skipped; ids may come as numbers."""

    type: str | None = None
    event: str | None = None
    message_id: Id = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    name: Any = None
    category: Any = None
    channel: Any = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    write_key: str | None = None
    properties: msgspec.Raw = _NOTHING
    traits: msgspec.Raw = _NOTHING
    context: msgspec.Raw = _NOTHING


class Batch(msgspec.Struct, rename="camel"):
    """Several calls, with what they have in common."""

    batch: list[Call]
    sent_at: str | None = None
    write_key: str | None = None
    context: msgspec.Raw = _NOTHING


class Pieces(msgspec.Struct, rename="camel"):
    """A batch whose calls are yet unread."""

    batch: list[msgspec.Raw]
    sent_at: str | None = None
    write_key: str | None = None
    context: msgspec.Raw = _NOTHING


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A body that was read: each call or what is wrong with it, and what they share."""

    calls: list[Call | Fault]
    sent_at: str | None = None
    write_key: str | None = None
    context: msgspec.Raw = _NOTHING


class BadBody(ValueError):
    """A body that holds no calls at all; its message says why."""


_CALL = msgspec.json.Decoder(Call)
_BATCH = msgspec.json.Decoder(Batch)
_PIECES = msgspec.json.Decoder(Pieces)


def read_request(body: bytes, via: str) -> Request:
    """The calls of a body; BadBody when it is no JSON object, or no batch where one was sent."""
    try:
        body.decode()
        if via != BATCH:
            call = _CALL.decode(body)
            call.type = via
            return Request(calls=[call], sent_at=None, write_key=call.write_key)
        batch = _BATCH.decode(body)
    except UnicodeDecodeError as fault:
        raise BadBody(f"the body is not UTF-8: {fault.reason} at byte {fault.start}") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.ValidationError as fault:
        if via != BATCH:
            return _single_with_fault(body, fault)
        return _piece_by_piece(_pieces(body))
    except msgspec.DecodeError as fault:
        if via != BATCH:
            raise BadBody(f"the body is not JSON: {fault}") from None
        return _piece_by_piece(_pieces(body))
    calls: list[Call | Fault] = list(batch.batch)
    return Request(calls=calls, sent_at=batch.sent_at, write_key=batch.write_key, context=batch.context)


def pieces(body: bytes, via: str) -> list[bytes]:
    """The text of each call of a body that `read_request` could read, for keeping one of them."""
    return [body] if via != BATCH else [bytes(each) for each in _pieces(body).batch]


def identity(written: Id) -> str | None:
    """An id as text: numbers are written out, and what scripts send for nobody is nobody."""
    if isinstance(written, float):
        written = int(written) if written.is_integer() else written
    text = str(written).strip() if written is not None else ""
    return text if text and text.lower() not in _NOBODY else None


def fields(raw: msgspec.Raw) -> bytes | None:
    """The text of a part that should be an object; None where there is nothing."""
    text = bytes(raw)
    return None if text in _EMPTY else text


def occurred(call: Call, *, received_at: datetime, sent_at: str | None) -> datetime:
    """When it happened: what the client says, less the error of its clock where `sentAt` shows it.

    ValueError or OverflowError for what is no instant.
    """
    told = call.original_timestamp or call.timestamp
    if not told:
        return received_at
    at = parse_instant(told)
    sent = call.sent_at or sent_at
    return at if not sent else received_at - (parse_instant(sent) - at)


def inspect(call: Call, *, received_at: datetime, sent_at: str | None, limits: CollectSettings) -> datetime | Fault:
    """When the call happened, or the first thing that is wrong with it whatever the tracking plan says."""
    if call.type not in TYPES:
        return Fault("malformed", f"`type` is `{call.type}`; it is one of {', '.join(sorted(TYPES))}")
    if wrong := _wrong_parts(call, limits.max_event_bytes):
        return wrong
    if identity(call.user_id) is None and identity(call.anonymous_id) is None:
        return Fault("missing_identifier", "the call has neither `userId` nor `anonymousId`")
    if call.type == "alias" and identity(call.previous_id) is None:
        return Fault("missing_identifier", "the call has no `previousId`")
    if call.type == "track" and not (call.event and call.event.strip()):
        return Fault("missing_event", "the call has no `event`")
    try:
        at = occurred(call, received_at=received_at, sent_at=sent_at)
    except (ValueError, OverflowError):
        return Fault("malformed", "`timestamp` or `sentAt` is not an ISO 8601 instant such as 2026-03-01T12:00:00Z")
    if at > received_at + timedelta(seconds=limits.future_tolerance_seconds):
        return Fault("from_the_future", f"it happened at {at}, but it was received at {received_at}")
    return at


def _wrong_parts(call: Call, largest: int) -> Fault | None:
    """What is wrong with the call's objects: no objects at all, too much in them, or too deep."""
    size = 0
    for name, raw in (("properties", call.properties), ("traits", call.traits), ("context", call.context)):
        text = fields(raw)
        if text is None:
            continue
        size += len(text)
        if text[:1] != b"{":
            return Fault("malformed", f"`{name}` is not an object")
        if text.count(b"{") + text.count(b"[") > DEEPEST and _depth(text) > DEEPEST:
            return Fault("malformed", f"`{name}` is nested more than {DEEPEST} levels deep")
    if size > largest:
        return Fault("too_large", f"the call holds {size} bytes; {largest} are allowed")
    return None


def _depth(text: bytes) -> int:
    deepest = depth = 0
    for found in _BRACKETS.finditer(text):
        mark = found.group()
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    return deepest


def _single_with_fault(body: bytes, fault: msgspec.ValidationError) -> Request:
    """A single call that is JSON and not a call: its write key is read all the same."""
    try:
        loose = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise BadBody("the body is not a JSON object") from None
    key = loose.get("writeKey")
    wrong = Fault("malformed", str(fault))
    return Request(calls=[wrong], write_key=key if isinstance(key, str) else None)


def _pieces(body: bytes) -> Pieces:
    try:
        return _PIECES.decode(body)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.MsgspecError as fault:
        return _pieces_of_odd_json(body, str(fault))


def _pieces_of_odd_json(body: bytes, fault: str) -> Pieces:
    """The calls of a body that a lenient reader can part (NaN, half a character): the odd ones fail by themselves."""
    try:
        loose = json.loads(body)
        calls = loose["batch"]
        sent_at, write_key = loose.get("sentAt"), loose.get("writeKey")
        if not isinstance(calls, list):
            raise TypeError
        return Pieces(
            batch=[msgspec.Raw(json.dumps(each).encode()) for each in calls],
            sent_at=sent_at if isinstance(sent_at, str) else None,
            write_key=write_key if isinstance(write_key, str) else None,
            context=msgspec.Raw(json.dumps(loose.get("context")).encode()),
        )
    except (ValueError, RecursionError):
        raise BadBody(f"the body is not JSON: {fault}") from None
    except (TypeError, KeyError, AttributeError):
        raise BadBody("the body is not an object with a list `batch`") from None


def _piece_by_piece(parts: Pieces) -> Request:
    calls: list[Call | Fault] = []
    for piece in parts.batch:
        try:
            calls.append(_CALL.decode(piece))
        except RecursionError:
            calls.append(Fault("malformed", "the call is nested too deeply"))
        except msgspec.MsgspecError as fault:
            calls.append(Fault("malformed", str(fault)))
    return Request(calls=calls, sent_at=parts.sent_at, write_key=parts.write_key, context=parts.context)
