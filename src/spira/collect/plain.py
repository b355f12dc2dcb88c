"""Plain: calls as nearly all clients send them, read thousands at a time, column by column.

The general way (collect.decode) reads call by call, and can say what is wrong with each. Most calls have
nothing wrong and nothing odd about them: texts where texts belong, and a context of known parts. Those are
read here, one step of the work for thousands of them before the next, so that most of it happens inside
libraries. A call that is not plain, for whatever reason, is given back to be read the general way; the
rows are the same by either (tests/collect/test_plain.py), and so is their order, which `item` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from spira.collect.arrivals import LINK_NAMED
from spira.collect.calls import LONG, NOTHING, Id, identity, wrong_parts
from spira.collect.chunk import UNREADABLE, Chunk, Origin, PlainCall, deep, list_of, one_by_one, texts_of
from spira.collect.columns import CAMPAIGN_COLUMNS, EVENTS, LINKS, Columns
from spira.collect.context import text_of, touchpoint_of
from spira.collect.instants import Micros, occurred
from spira.collect.people import SAME_CALL, Person, Sealer
from spira.collect.properties import Properties
from spira.collect.shapes import Found, Shapes
from spira.collect.tracking import Plan
from spira.collect.typed import WrongType
from spira.kernel.settings import CollectSettings

MOST = 2_000  # calls that are read at once; what they are made of fits into a core's cache
_NOBODY, _WRONG = -1, -2  # instead of a subject's number
Head = tuple[str | None, ...]


class _Campaign(msgspec.Struct, frozen=True):
    name: str | None = None
    source: str | None = None
    medium: str | None = None
    term: str | None = None
    content: str | None = None


class _Context(msgspec.Struct, rename="camel"):
    """The parts of a context that become columns, as long as they are what nearly all clients send."""

    campaign: _Campaign | None = None
    channel: str | None = None
    session_id: str | int | None = None
    traits: msgspec.Raw = NOTHING
    external_ids: None = None  # whoever tells more ids is read one by one


_CONTEXTS = msgspec.json.Decoder(list[_Context | None])
_NO_CONTEXT = _Context()


class Waiting(NamedTuple):
    """A request that waits to be read, the item of its first call, and whether it is too small to hold a large one."""

    origin: Origin
    calls: list[PlainCall]
    first: int
    is_small: bool


class Plain:
    """Reads the plain ones among the calls of many requests."""

    def __init__(
        self, plan: Plan, sealer: Sealer, columns: Columns, properties: Properties, limits: CollectSettings
    ) -> None:
        self._sealer = sealer
        self._columns = columns
        self._shapes = Shapes(plan, properties)
        self._limits = limits
        self._users = _Numbers(sealer, columns, "user_id")
        self._anonymous = _Numbers(sealer, columns, "anonymous_id")

    def read(self, waiting: Sequence[Waiting]) -> list[int]:
        """Add the rows of all plain calls; the items of the others, in order."""
        odd: list[int] = []
        chunk = self._chunk(waiting)
        while len(chunk):
            told = self._told(chunk)
            if not chunk.odd:
                self._columns.add_plainly(_events(told), told.found, _links(told), told.persons, chunk)
                break
            odd += (chunk.items[place] for place in chunk.odd)
            chunk = chunk.without_odd()
        return sorted(odd)

    def _chunk(self, waiting: Sequence[Waiting]) -> Chunk:
        """All calls side by side; those that do not look plain are odd."""
        chunk, limit = Chunk(), self._limits.max_event_bytes
        for origin, calls, first, is_small in waiting:
            if not is_small:
                large = (place for place, call in enumerate(calls, len(chunk)) if wrong_parts(call, limit))
                chunk.odd.update(large)
            chunk.add(calls, origin, first=first)
        ids = [call.message_id for call in chunk.calls]
        if list(map(str.strip, ids)) != ids or min(map(len, ids), default=LONG) < LONG:
            chunk.odd.update(place for place, each in enumerate(ids) if identity(each) != each)
        if "" in chunk.names:
            chunk.odd.update(place for place, name in enumerate(chunk.names) if not name)
        for place in [place for place, call in enumerate(chunk.calls) if call.traits is not NOTHING]:
            call = chunk.calls[place]
            if call.type != "identify" or wrong_parts(call, limit) is not None:
                chunk.odd.add(place)
        return chunk

    def _told(self, chunk: Chunk) -> _Told:
        """Everything that the calls of a chunk tell; calls that turn out not to be plain are its `odd`."""
        contexts = _contexts(chunk)
        ts = _instants(chunk, timedelta(seconds=self._limits.future_tolerance_seconds))
        found = self._shapes.read(chunk)
        users = self._users.of([call.user_id for call in chunk.calls])
        anonymous = self._anonymous.of([call.anonymous_id for call in chunk.calls])
        unknown = (users == _WRONG) | (anonymous == _WRONG) | (users + anonymous == 2 * _NOBODY)
        chunk.odd.update(np.flatnonzero(unknown).tolist())
        persons = {}
        for place in [place for place, call in enumerate(chunk.calls) if call.type == "identify"]:
            if place not in chunk.odd:
                try:
                    persons[place] = self._sealer.person(chunk.calls[place], contexts[place].traits, NOTHING)
                except WrongType:
                    chunk.odd.add(place)
        return _Told(chunk, contexts, ts, found, users, anonymous, persons)


@dataclass(frozen=True, slots=True)
class _Told:
    """A chunk that was read, by place: when each call happened, whose it is by either id, and what it tells."""

    chunk: Chunk
    contexts: list[_Context]
    ts: Micros
    found: Found
    users: Micros
    anonymous: Micros
    persons: dict[int, Person]


class _Numbers(dict[Id, int]):
    """The number of the subject that an id of one kind means, as it is written."""

    def __init__(self, sealer: Sealer, columns: Columns, kind: str) -> None:
        super().__init__()
        self._sealer, self._columns, self._kind = sealer, columns, kind

    def of(self, written: Sequence[Id]) -> Micros:
        """The number of each id."""
        return np.fromiter(map(self.__getitem__, written), np.int64, len(written))

    def __missing__(self, written: Id) -> int:
        try:
            named = self._sealer.opaque(self._kind, written)
        except WrongType:
            number = _WRONG
        else:
            number = _NOBODY if named is None else self._columns.number(named)
        self[written] = number
        return number


def _contexts(chunk: Chunk) -> list[_Context]:
    """The context of each call. Those that name a short link or external ids are odd."""
    texts = texts_of([call.context for call in chunk.calls])
    together = list_of(texts)
    chunk.odd |= deep(texts, together)
    if LINK_NAMED in together:
        chunk.odd.update(place for place, text in enumerate(texts) if LINK_NAMED in text)
    try:
        contexts = _CONTEXTS.decode(together)
    except UNREADABLE:
        contexts = one_by_one(_CONTEXTS, texts, chunk.odd)
    return [each or _NO_CONTEXT for each in contexts]


def _instants(chunk: Chunk, tolerance: timedelta) -> Micros:
    """When each call happened, in microseconds."""
    calls = chunk.calls
    told: list[str | None] = [call.timestamp for call in calls]
    if not all(told) or any(call.original_timestamp for call in calls):
        told = [call.original_timestamp or call.timestamp or None for call in calls]
    sent = chunk.sent
    if any(call.sent_at for call in calls):
        sent = [call.sent_at or shared for call, shared in zip(calls, sent, strict=True)]
    received = np.array(chunk.received, np.int64)
    return occurred(told, sent, received, tolerance=tolerance, odd=chunk.odd)


def _events(told: _Told) -> pa.Table:
    """The columns that every event has."""
    chunk, length = told.chunk, len(told.chunk)
    subjects = np.where(told.users >= 0, told.users, told.anonymous)
    sessions = [each.session_id for each in told.contexts]
    columns = {
        "item": pa.array(chunk.items, pa.int64()),
        "message_id": pa.array([call.message_id for call in chunk.calls], pa.string()),
        "ts": pa.array(told.ts).cast(pa.timestamp("us")),
        "received_at": pa.array(chunk.received, pa.int64()).cast(pa.timestamp("us")),
        "session_id": pa.array([None if each is None else text_of(each) for each in sessions], pa.string()),
        "subject": pa.array(subjects),
        "given_subject_id": pa.nulls(length, pa.int64()),
        "properties": pa.array(map(told.found.rest.get, range(length)), pa.string(), size=length),
        **_heads(told),
    }
    return pa.table({name: columns[name] for name in EVENTS.names}, schema=EVENTS)


_HEAD = ("type", "event", "source", "touchpoint", "domain", *CAMPAIGN_COLUMNS)


def _heads(told: _Told) -> dict[str, pa.Array]:
    """The columns in which few values come again and again: each combination is made once, and numbered."""
    numbers: dict[tuple[Any, ...], int] = {}
    heads: list[Head] = []
    codes = []
    chunk = told.chunk
    for call, event, origin, context in zip(chunk.calls, chunk.names, chunk.origins, told.contexts, strict=True):
        key = (call.type, event, origin.source, call.channel or context.channel, context.campaign)
        code = numbers.get(key)
        if code is None:
            code = numbers[key] = len(heads)
            heads.append(_head(key, origin))
        codes.append(code)
    taken = pa.array(codes, pa.int32())
    return {
        name: pa.array(values, pa.string()).take(taken)
        for name, values in zip(_HEAD, zip(*heads, strict=True), strict=True)
    }


def _head(key: tuple[Any, ...], origin: Origin) -> Head:
    type, event, source, channel, campaign = key
    touchpoint = origin.facts.touchpoint or touchpoint_of(channel)
    campaigns = map(text_of, msgspec.structs.astuple(campaign or _Campaign()))
    return (type, event, source, touchpoint, origin.facts.domain, *campaigns)


def _links(told: _Told) -> pa.Table:
    """The pairs of ids that calls name together, and what identifying calls tell beside."""
    both = np.flatnonzero((told.users >= 0) & (told.anonymous >= 0))
    columns = [
        pa.array(np.array(told.chunk.items, np.int64)[both]),
        pa.array(told.users[both]),
        pa.array(told.anonymous[both]),
        pa.array([SAME_CALL], pa.string()).take(pa.array(np.zeros(both.size, np.int32))),
    ]
    return pa.Table.from_arrays(columns, schema=LINKS)
