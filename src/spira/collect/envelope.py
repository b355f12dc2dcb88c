"""What a log record is: one of five small Structs, packed with msgpack and told apart by a tag.

    Accepted   a request of the collection API, its body as it came (unzipped)
    Replayed   a call that was refused before, to be read again
    Emitted    events that Spira itself saw: opens, clicks, receipts, unsubscribes
    Attempt    a delivery is about to be handed to its provider
    Result     what became of that

A tag never changes its meaning: the log is read again after a restore, years later perhaps.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

Outcome = Literal["sent", "failed", "retry"]


class Accepted(msgspec.Struct, tag="a", frozen=True, array_like=True):
    """One request that was answered 200. `via` is the call's name; `batch` holds several."""

    source: str
    received_at: datetime
    via: str
    body: bytes


class Replayed(msgspec.Struct, tag="p", frozen=True, array_like=True):
    """A call out of quarantine, with the instant it was first received and the message id it is loaded under.

    `batch` and `item` are its place in quarantine; `via` of the request is, beside the calls' names,
    `own` for an OwnEvent and `record` for a whole record that could not be read.
    """

    request: Accepted
    batch: int
    item: int
    message_id: str
    at: datetime
    actor: str


class OwnEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of Spira's own events. The same `message_id` twice is one event.

    Name whom it is about by `subject_id` (any subject of the profile; a profile's id is one)
    or by `user_id`. Properties are those of the tracking plan (`collect.plan.OWN_EVENTS`).
    """

    message_id: str
    event: str
    at: datetime
    subject_id: int | None = None
    user_id: str | None = None
    touchpoint: str | None = None
    campaign: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, str] = {}  # lasting facts that a person told us themselves; none that identifies


class Emitted(msgspec.Struct, tag="e", frozen=True, array_like=True):
    """Spira's own events, appended together."""

    received_at: datetime
    events: list[OwnEvent]


class Attempt(msgspec.Struct, tag="t", frozen=True, array_like=True):
    """Written before the provider is called: without a Result the fate of the message is unknown."""

    delivery_id: int
    at: datetime


class Result(msgspec.Struct, tag="r", frozen=True, array_like=True):
    """Written after the provider answered."""

    delivery_id: int
    at: datetime
    outcome: Outcome
    provider_id: str | None = None
    detail: str | None = None


Record = Accepted | Replayed | Emitted | Attempt | Result

OWN_SOURCE = "spira"
VIA_HOOK = "hook:"  # before a hook's name: a body that its mapping could not take, kept whole
VIA_OWN, VIA_RECORD = "own", "record"  # how the calls of quarantine that came over no API came
_DECODER: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record as the log keeps it."""
    return msgspec.msgpack.encode(record)


def decode(raw: bytes) -> Record:
    """The record that `encode` wrote; msgspec.MsgspecError for bytes that are none."""
    return _DECODER.decode(raw)


def made_id(record: Accepted, index: int) -> str:
    """The message id of a call that has none: the same when the record is read again, another for another request."""
    seed = f"{record.source}\0{record.received_at.isoformat()}\0{index}\0".encode()
    return f"made-{hashlib.sha256(seed + record.body).hexdigest()[:32]}"
