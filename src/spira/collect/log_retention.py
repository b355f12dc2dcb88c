"""Keeping the log to the rules of retention: of what is over, who and when stay, what was said goes.

Reads   `quarantine`, `loaded`
Writes  closed segments of the logs that are loaded
        `log_segments`   when each has to be looked at again

A log is what everything is made from again. So it may not lose what the warehouse still holds (who is who, traits,
consents, the ids of messages), and may not keep what the warehouse has deleted. A call whose event is past its time
keeps its ids, its name, its times and the identifiers in its context; properties and everything else in it go. Calls
that identify stay whole, since traits have a history; so does what stands in quarantine, which has a time of its own.
Made again from such a log, events of that time come in as bare rows and retention deletes them as it did before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from spira.collect.calls import BATCH, EVENT_NAMES, BadBody, identity, pieces
from spira.collect.envelope import (
    VIA_HOOK,
    VIA_OWN,
    VIA_RECORD,
    Accepted,
    Emitted,
    OwnEvent,
    Replayed,
    decode,
    encode,
    made_id,
)
from spira.collect.load import positions
from spira.kernel.errors import StorageDamaged
from spira.storage.files import Files
from spira.storage.keys import Keys
from spira.storage.log import Position, SegmentFile, read, rewrite_segment, segments
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

EVERY = "*"
AT_ONCE = timedelta(days=7)  # a segment is looked at at most once in so long, however many rules there are
SEGMENTS = table(
    Table(
        name="log_segments",
        store="warehouse",
        stage="storage.upkeep",
        columns=columns(
            """
            log VARCHAR required
            segment BIGINT required
            rules VARCHAR required
            next_at TIMESTAMP
            """
        ),
        key=("log", "segment"),
    )
)
SAYING = ("track", "page", "screen")  # the types of calls that tell what happened; the others tell who somebody is
STAYS = frozenset(
    ("type", "event", "name", "messageId", "userId", "anonymousId", "timestamp", "originalTimestamp", "sentAt")
)
INSIDE = frozenset(("externalIds", "traits"))
Fields = dict[str, msgspec.Raw]
_FIELDS = msgspec.json.Decoder(Fields)
_ANY = msgspec.json.Decoder()


@dataclass(slots=True, kw_only=True)
class Bare:
    """What goes out of the records of a segment as of an instant. `next_at` is when it has to be looked at again.

    `days` are the rules by event (`*` is every other), `kept` the events that only a rule of their own reaches,
    `refused` the ids of messages that are in quarantine.
    """

    as_of: datetime
    days: Mapping[str, int]
    kept: Collection[str]
    refused: Collection[str]
    next_at: datetime | None = field(default=None, init=False)
    calls: int = field(default=0, init=False)  # how many were made bare

    def record(self, raw: bytes) -> bytes:
        """A record as it stays: itself, where nothing in it is over."""
        try:
            record = decode(raw)
            fresh = self._emitted(record) if isinstance(record, Emitted) else self._request(record)
        except (msgspec.MsgspecError, RecursionError):
            return raw
        return raw if fresh is record else encode(fresh)  # type: ignore[arg-type]

    def _request(self, record: object) -> object:
        if isinstance(record, Accepted):
            return self._accepted(record)
        if isinstance(record, Replayed) and record.request.via not in (VIA_OWN, VIA_RECORD):
            fresh = self._accepted(record.request)
            return record if fresh is record.request else msgspec.structs.replace(record, request=fresh)
        return record

    def _emitted(self, record: Emitted) -> Emitted:
        events = [self._own(each, record.received_at) for each in record.events]
        return record if events == record.events else Emitted(record.received_at, events)

    def _own(self, event: OwnEvent, received_at: datetime) -> OwnEvent:
        if not event.properties or event.traits or not self._is_over(event.event, received_at):
            return event
        self.calls += 1
        return msgspec.structs.replace(event, properties={})

    def _accepted(self, record: Accepted) -> Accepted:
        if record.via.startswith(VIA_HOOK):
            return record
        try:
            calls = pieces(record.body, record.via)
        except BadBody:
            return record
        kept = [self._call(call, record, index) for index, call in enumerate(calls)]
        if all(fresh is call for fresh, call in zip(kept, calls, strict=True)):
            return record
        # The ids that are made of a whole body are written down, since the body is another from now on.
        named = [_named(call, record, index) for index, call in enumerate(kept)]
        if record.via != BATCH:
            return Accepted(record.source, record.received_at, record.via, named[0])
        whole = _fields(record.body) or {}
        whole["batch"] = msgspec.Raw(msgspec.json.encode([msgspec.Raw(each) for each in named]))
        if not any(fresh is call for fresh, call in zip(kept, calls, strict=True)):
            _reduce_context(whole)
        return Accepted(record.source, record.received_at, record.via, msgspec.json.encode(whole))

    def _call(self, call: bytes, record: Accepted, index: int) -> bytes:
        """The call made bare where its time is over and it says anything; else the very same."""
        told = _fields(call)
        if told is None:
            return call
        kind = _text(told, "type") if record.via == BATCH else record.via
        says = (told.keys() - STAYS - {"context"}) or (_fields(bytes(told.get("context", b""))) or {}).keys() - INSIDE
        if kind not in SAYING or not says:
            return call
        name = EVENT_NAMES.get(kind) or (_text(told, "event") or "").strip()
        if _id(told, record, index) in self.refused or not self._is_over(name, record.received_at):
            return call
        bare = {key: value for key, value in told.items() if key in STAYS or key == "context"}
        _reduce_context(bare)
        self.calls += 1
        return msgspec.json.encode(bare)

    def _is_over(self, event: str, received_at: datetime) -> bool:
        """Whether an event's time is over; where it is not yet, when it will be is noted."""
        days = self.days.get(event, None if event in self.kept else self.days.get(EVERY))
        if days is None:
            return False
        over_at = received_at + timedelta(days=days)
        if over_at <= self.as_of:
            return True
        self.next_at = over_at if self.next_at is None else min(self.next_at, over_at)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long events are kept: `days` by event (`*` is every other), and those that `*` does not reach."""

    days: Mapping[str, int]
    kept: Collection[str]

    @property
    def text(self) -> str:
        """The rules as one text, so that others are seen to be others."""
        return ";".join(f"{name}:{days}" for name, days in sorted(self.days.items()))


def step(
    warehouse: Warehouse, log: str, directory: Path, keys: Keys, rules: Kept, *, as_of: datetime, files: Files
) -> int:
    """Look through one segment of a log that is due; how many calls were made bare in it.

    Only what was loaded is touched. A kill before the mark is kept looks through the segment again, and finds
    nothing left to do.
    """
    if not rules.days:
        return 0
    loaded = positions(warehouse).get(log)
    due = None if loaded is None else _due(warehouse, log, directory, keys, rules, loaded.segment, as_of)
    if due is None:
        return 0
    refused = {message for (message,) in warehouse.query(_REFUSED)}
    bare = Bare(as_of=as_of, days=rules.days, kept=rules.kept, refused=refused)
    try:
        rewrite_segment(files, due, keys, bare.record)
    except StorageDamaged:  # reported by whoever reads the log; the segment stays as it is
        bare.next_at = as_of
    following = None if bare.next_at is None else max(bare.next_at, as_of + AT_ONCE)
    _mark(warehouse, log, due.number, rules, following)
    return bare.calls


def _due(
    warehouse: Warehouse, log: str, directory: Path, keys: Keys, rules: Kept, before: int, as_of: datetime
) -> SegmentFile | None:
    """The first closed segment that has to be looked at; of one not seen yet it is found out when it has to be."""
    known: dict[int, datetime | None] = dict(warehouse.query(_KNOWN, {"log": log, "rules": rules.text}))
    for each in segments(directory):
        if each.number >= before:
            break
        if each.number not in known:
            known[each.number] = first = _first_over(directory, keys, each.number, rules)
            _mark(warehouse, log, each.number, rules, first)
        due = known[each.number]
        if due is not None and due <= as_of:
            return each
    return None


def _first_over(directory: Path, keys: Keys, number: int, rules: Kept) -> datetime | None:
    """The earliest instant at which anything in a segment can be over, by its first record."""
    for raw in read(directory, keys, Position(number, 0), limit_bytes=1).records:
        try:
            record = decode(raw)
        except msgspec.MsgspecError:
            continue
        if isinstance(record, Accepted | Emitted):
            return record.received_at + timedelta(days=min(rules.days.values()))
        if not isinstance(record, Replayed):
            return record.at + timedelta(days=min(rules.days.values()))
    return datetime(1970, 1, 1)


def _mark(warehouse: Warehouse, log: str, segment: int, rules: Kept, next_at: datetime | None) -> None:
    row = {"log": log, "segment": segment, "rules": rules.text, "next_at": next_at}
    with warehouse.transaction():
        warehouse.execute(
            "delete from log_segments where log = $log and segment = $segment", {"log": log, "segment": segment}
        )
        warehouse.execute(
            "insert into log_segments (log, segment, rules, next_at) values ($log, $segment, $rules, $next_at)", row
        )


_KNOWN = "select segment, next_at from log_segments where log = $log and rules = $rules"
_REFUSED = "select message_id from quarantine where message_id is not null"


def _named(call: bytes, record: Accepted, index: int) -> bytes:
    """The call with the message id that it was loaded under."""
    told = _fields(call)
    if told is None or identity(_value(told, "messageId")) is not None:
        return call
    return msgspec.json.encode({**told, "messageId": made_id(record, index)})


def _id(told: Fields, record: Accepted, index: int) -> str:
    return identity(_value(told, "messageId")) or made_id(record, index)


def _reduce_context(told: Fields) -> None:
    """Leave of a context what tells who somebody is."""
    context = _fields(bytes(told.pop("context", b""))) or {}
    if inside := {key: value for key, value in context.items() if key in INSIDE}:
        told["context"] = msgspec.Raw(msgspec.json.encode(inside))


def _value(told: Fields, name: str) -> str | int | float | None:
    value = _ANY.decode(told[name]) if name in told else None
    return value if isinstance(value, str | int | float) else None


def _text(told: Fields, name: str) -> str | None:
    value = _value(told, name)
    return value if isinstance(value, str) else None


def _fields(text: bytes) -> Fields | None:
    """A JSON object's parts, each as its own text; None for anything else."""
    try:
        return _FIELDS.decode(text) if text[:1] == b"{" else None
    except (msgspec.MsgspecError, RecursionError):
        return None
