"""Chunk: some thousand calls side by side, while they are read column by column (collect.plain, collect.shapes)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat
from typing import Any, Literal, NamedTuple

import msgspec

from spira.collect.calls import BATCH, DEEPEST, EVENT_NAMES, Call
from spira.collect.tracking import Mode

PLAIN_KINDS = frozenset({"track", "page", "screen", "identify"})
UNREADABLE = (msgspec.MsgspecError, RecursionError)


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a source; the columns that each of its events takes over."""

    touchpoint: str | None = None
    domain: str | None = None
    priority: int = 0
    mode: str | None = None


class Origin(NamedTuple):
    """What the calls of one request share: where they came from, when, and what is known of the source."""

    source: str
    day: date
    micros: int  # of the instant of receipt, since 1970
    sent_at: str | None
    mode: Mode
    facts: SourceFacts


class PlainCall(Call, kw_only=True):
    """A call whose parts are of the types that nearly all clients send; any other is not read as one."""

    type: Literal["track", "page", "screen", "identify"] | None = None
    message_id: str
    user_id: str | None = None
    anonymous_id: str | None = None
    channel: str | None = None


class PlainBatch(msgspec.Struct, rename="camel"):
    """Several of them that share nothing but when they were sent."""

    batch: list[PlainCall]
    sent_at: str | None = None
    context: None = None


_CALL = msgspec.json.Decoder(PlainCall)
_BATCH = msgspec.json.Decoder(PlainBatch)


def read_plainly(body: bytes, via: str) -> PlainBatch | None:
    """The calls of a body as long as all of them look plain, as `calls.read_request` reads them."""
    try:
        body.decode()
        if via == BATCH:
            return _BATCH.decode(body)
        call = _CALL.decode(body)
    except (UnicodeDecodeError, *UNREADABLE):
        return None
    if via not in PLAIN_KINDS:
        return None
    call.type = via  # type: ignore[assignment]  # one of them
    return PlainBatch([call])


@dataclass(slots=True)
class Chunk:
    """Calls with their origin and item, the name of their event, and when their request was received and sent.

    `odd` are the places of those that turn out not to be plain.
    """

    calls: list[PlainCall] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    sent: list[str | None] = field(default_factory=list)
    odd: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.calls)

    def add(self, calls: list[PlainCall], origin: Origin, *, first: int) -> None:
        """The calls of one more request, whose items begin with `first`."""
        self.calls += calls
        self.origins += repeat(origin, len(calls))
        self.received += repeat(origin.micros, len(calls))
        self.sent += repeat(origin.sent_at or None, len(calls))
        self.items += range(first, first + len(calls))
        self.names += [
            (call.event or "").strip() if call.type == "track" else EVENT_NAMES.get(call.type or "", "")
            for call in calls
        ]

    def without_odd(self) -> Chunk:
        """The others."""
        kept = [place for place in range(len(self)) if place not in self.odd]
        return Chunk(
            calls=[self.calls[place] for place in kept],
            origins=[self.origins[place] for place in kept],
            items=[self.items[place] for place in kept],
            names=[self.names[place] for place in kept],
            received=[self.received[place] for place in kept],
            sent=[self.sent[place] for place in kept],
        )


def texts_of(parts: list[msgspec.Raw]) -> list[bytes]:
    """The text of each part, `null` where there is nothing."""
    return [text or b"null" for text in map(bytes, parts)]


def list_of(texts: Iterable[bytes | msgspec.Raw]) -> bytes:
    """One JSON list of the texts, so that all of them are read in one go."""
    return b"[%b]" % b",".join(texts)


def deep(texts: list[bytes], together: bytes = b"[[") -> set[int]:
    """The places of texts that may be nested deeper than a call may be; `together` is their list.

    Each level takes two signs, and most parts of calls are short; of contexts nearly none holds a list.
    """
    long = [(place, text) for place, text in enumerate(texts) if len(text) > 2 * DEEPEST]
    if together.find(b"[", 1) >= 0:
        return {place for place, text in long if text.count(b"{") + text.count(b"[") > DEEPEST}
    return {place for place, text in long if text.count(b"{") > DEEPEST}


def one_by_one(decoder: msgspec.json.Decoder[list[Any]], texts: list[bytes], odd: set[int]) -> list[Any]:
    """What a decoder of lists makes of each text; None for those it can't read, which are odd."""
    found: list[Any] = []
    for place, text in enumerate(texts):
        try:
            found += decoder.decode(list_of([text]))
        except UNREADABLE:
            found.append(None)
            odd.add(place)
    return found
