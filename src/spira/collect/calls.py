"""Calls: what one request of the collection API holds, in the shape that Segment's clients send.

A body is read as a whole in one go; when that fails, call by call, so that one bad call does
not spoil a batch. What is wrong with a call is a `Fault`, a value: intake tells the client,
and loading puts the call into quarantine, both by the functions below.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
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
    "unmapped",
    "undeclared_property",
]
TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})
# The names of events that calls become which name none themselves.
EVENT_NAMES = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Group Joined",
    "alias": "Aliased",
}
BATCH = "batch"
DEEPEST = 64  # levels of arrays and objects in one call

Id = str | int | float | None
NOTHING = msgspec.Raw(b"")
_NULL = b"null"
_EMPTY = frozenset({b"", _NULL})
_NOBODY = frozenset({"null", "undefined", "none", "nan", "[object object]"})
LONG = max(map(len, _NOBODY)) + 1  # an id of this length is somebody's
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:"]', re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}


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
    write_key: Any = None
    properties: msgspec.Raw = NOTHING
    traits: msgspec.Raw = NOTHING
    context: msgspec.Raw = NOTHING


class Batch(msgspec.Struct, rename="camel"):
    """Several calls, with what they have in common."""

    batch: list[Call]
    sent_at: str | None = None
    write_key: Any = None
    context: msgspec.Raw = NOTHING


class Pieces(msgspec.Struct, rename="camel"):
    """A batch whose calls are yet unread."""

    batch: list[msgspec.Raw]
    sent_at: str | None = None
    write_key: Any = None
    context: msgspec.Raw = NOTHING


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A body that was read: each call or what is wrong with it, and what they share."""

    calls: list[Call | Fault]
    sent_at: str | None = None
    write_key: str | None = None
    context: msgspec.Raw = NOTHING


class BadBody(ValueError):
    """A body that holds no calls at all; its message says why."""


_UNREADABLE = (UnicodeDecodeError, RecursionError, msgspec.MsgspecError)
_CALL = msgspec.json.Decoder(Call)
_BATCH = msgspec.json.Decoder(Batch)
_PIECES = msgspec.json.Decoder(Pieces)


def read_request(body: bytes, via: str) -> Request:
    """The calls of a body; BadBody when it is no JSON object, or no batch where one was sent."""
    text = _without_mark(body)
    try:
        text.decode()
        if via != BATCH:
            call = _CALL.decode(text)
            call.type = via
            return Request(calls=[call], write_key=_key(call.write_key))
        batch = _BATCH.decode(text)
    except _UNREADABLE as fault:
        if via != BATCH:
            return _single_with_fault(text, fault)
        return _piece_by_piece(_parted(text))
    calls: list[Call | Fault] = list(batch.batch)
    return Request(calls=calls, sent_at=batch.sent_at, write_key=_key(batch.write_key), context=batch.context)


@lru_cache(maxsize=1)  # the calls of one body are asked for one by one
def pieces(body: bytes, via: str) -> tuple[bytes, ...]:
    """The text of each call of a body that `read_request` could read, for keeping one of them."""
    if via != BATCH:
        return (body,)
    return tuple(bytes(each) for each in _parted(_without_mark(body)).batch)


def remaining(body: bytes, left_out: Collection[int]) -> bytes:
    """The body of a batch without the calls at these places; the others as they came, however odd."""
    parts = _parted(_without_mark(body))
    kept = b",".join(bytes(each) for index, each in enumerate(parts.batch) if index not in left_out)
    shared = fields(parts.context) or b"null"
    return b'{"batch":[%s],"sentAt":%s,"context":%s}' % (kept, msgspec.json.encode(parts.sent_at), shared)


def key_within(calls: Sequence[Call | Fault]) -> str | None:
    """The write key that stands in the calls themselves; None when there is none, or more than one."""
    keys = {key for call in calls if isinstance(call, Call) and (key := _key(call.write_key))}
    return keys.pop() if len(keys) == 1 else None


def identity(written: Id) -> str | None:
    """An id as text: numbers are written out, and what scripts send for nobody is nobody."""
    if isinstance(written, float):
        written = int(written) if written.is_integer() else written
    text = str(written).strip() if written is not None else ""
    if len(text) >= LONG:
        return text
    return text if text and text.lower() not in _NOBODY else None


def fields(raw: msgspec.Raw) -> bytes | None:
    """The text of a part that should be an object; None where there is nothing."""
    text = bytes(raw)
    return None if len(text) <= len(_NULL) and text in _EMPTY else text


def occurred(call: Call, *, received_at: datetime, sent_at: str | None) -> datetime:
    """When it happened: what the client says, less the error of its clock where `sentAt` shows it.

    ValueError or OverflowError for what is no instant.
    """
    told = call.original_timestamp or call.timestamp
    if not told:
        return received_at
    at = parse_instant(told)
    sent = call.sent_at or sent_at
    return at if not sent else received_at - (_sent(sent) - at)


@lru_cache(maxsize=16)  # all calls of a batch share one
def _sent(text: str) -> datetime:
    return parse_instant(text)


def event_name(call: Call) -> str:
    """The event that a call becomes."""
    return EVENT_NAMES.get(call.type or "") or (call.event or "").strip()


def inspect(call: Call, *, received_at: datetime, sent_at: str | None, limits: CollectSettings) -> datetime | Fault:
    """When the call happened, or the first thing that is wrong with it whatever the tracking plan says."""
    if call.type not in TYPES:
        return Fault("malformed", f"`type` is `{call.type}`; it is one of {', '.join(sorted(TYPES))}")
    if wrong := wrong_parts(call, limits.max_event_bytes):
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


def wrong_parts(call: Call, largest: int) -> Fault | None:
    """What is wrong with the call's objects: no objects at all, too much in them, or too deep."""
    size = len(call.event or "")
    for written in (call.message_id, call.user_id, call.anonymous_id, call.previous_id, call.group_id):
        size += len(written) if isinstance(written, str) else 0
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


def _without_mark(body: bytes) -> bytes:
    """The body without the byte order mark that some systems put before UTF-8."""
    return body.removeprefix(BOM_UTF8)


def _key(written: Any) -> str | None:
    return written if isinstance(written, str) and written else None


def _told(fault: Exception) -> str:
    """What is wrong with a text, without the text."""
    if isinstance(fault, UnicodeDecodeError):
        return f"it is not UTF-8: {fault.reason} at byte {fault.start}"
    return "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)


def _single_with_fault(body: bytes, fault: Exception) -> Request:
    """A single call that is an object and not a call: its write key is read all the same."""
    found = _members(body)
    if found is None:
        raise BadBody(f"the body is not a JSON object: {_told(fault)}") from None
    return Request(calls=[Fault("malformed", _told(fault))], write_key=_key(_plain(found.get(b"writeKey"))))


def _parted(body: bytes) -> Pieces:
    """The calls of a batch, each by itself; where a strict reader gives up on the whole, a lenient one parts them."""
    try:
        return _PIECES.decode(body)
    except _UNREADABLE as fault:
        found = _members(body)
        if found is None:
            raise BadBody(f"the body is not JSON: {_told(fault)}") from None
        calls = found.get(b"batch")
        if not isinstance(calls, list):
            raise BadBody("the body is not an object with a list `batch`") from None
        sent_at, context = _plain(found.get(b"sentAt")), found.get(b"context")
        return Pieces(
            batch=[msgspec.Raw(each) for each in calls],
            sent_at=sent_at if isinstance(sent_at, str) else None,
            write_key=_plain(found.get(b"writeKey")),
            context=msgspec.Raw(context) if isinstance(context, bytes) else NOTHING,
        )


def _plain(text: bytes | list[bytes] | None) -> Any:
    try:
        return msgspec.json.decode(text) if isinstance(text, bytes) else None
    except _UNREADABLE:
        return None


def _members(body: bytes) -> dict[bytes, bytes | list[bytes]] | None:
    """The text of each member of an object, and of each element where a member is an array; None for no object.

    It looks at quotes, brackets and commas alone: NaN, half a character, bytes that are no UTF-8 and depth without
    end stay inside the member they are in, and no recursion is needed.
    """
    found: dict[bytes, bytes | list[bytes]] = {}
    opened: list[bytes] = []
    name, starts, elements = b"", 0, [0]
    for mark in _MARKS.finditer(body):
        sign, at = mark.group(), mark.start()
        if not opened and (sign != b"{" or found or body[:at].strip()):
            return None
        if sign in (b"{", b"["):
            opened.append(_CLOSING[sign])
            if len(opened) == 1:
                starts = mark.end()
            if len(opened) == 2:
                elements = [mark.end()]
        elif sign in (b"}", b"]"):
            if opened.pop() != sign:
                return None
            if len(opened) == 1:
                elements.append(mark.end())
            if not opened:
                if body[mark.end() :].strip():
                    return None
                if name or body[starts:at].strip():
                    _keep(found, name, body[starts:at], starts, elements)
                return found
        elif sign == b'"':
            return None
        elif sign == b"," and len(opened) <= 2:
            if len(opened) == 2:
                elements.append(mark.end())
            else:
                _keep(found, name, body[starts:at], starts, elements)
                name, starts = b"", mark.end()
        elif sign == b":" and len(opened) == 1 and not name:
            name, starts = body[starts:at].strip().strip(b'"'), mark.end()
    return None


def _keep(found: dict[bytes, bytes | list[bytes]], name: bytes, text: bytes, starts: int, places: list[int]) -> None:
    """Put a member with its elements where it is an array: `places` is where each begins, and where the last ends."""
    text_only = text.strip()
    if text_only[:1] != b"[":
        found[name] = text_only
        return
    cuts = [place - starts for place in places]
    parts = [text[begin : end - 1].strip() for begin, end in pairwise(cuts)]
    found[name] = [] if parts == [b""] else parts


def _piece_by_piece(parts: Pieces) -> Request:
    calls: list[Call | Fault] = []
    for piece in parts.batch:
        try:
            bytes(piece).decode()
            calls.append(_CALL.decode(piece))
        except _UNREADABLE as fault:
            calls.append(Fault("malformed", _told(fault)))
    return Request(calls=calls, sent_at=parts.sent_at, write_key=_key(parts.write_key), context=parts.context)
