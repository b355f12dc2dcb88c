"""Columns: rows collected one by one, written as Arrow files that the warehouse takes whole.

Writes  files   `events`, `identifiers`, `links`, `traits`, `quarantine`, `replayed`, `attempts`,
                `carried`, `undeclared`, `personal`, one `lines:<array>` per array (Arrow), and `sealed` (msgpack)

Rows of one call share its `item`, its place in the stretch; subjects are numbered within the
stretch (`subject`). The loader turns both into ids. A table without rows has no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from itertools import chain, repeat
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from spira.collect.chunk import Chunk
from spira.collect.people import SAME_CALL, Identifier, Person, Sealer
from spira.collect.properties import Properties, Read
from spira.collect.shapes import Found
from spira.collect.tracking import Plan
from spira.collect.typed import column

_TEXT, _BIG, _TIME = pa.string(), pa.int64(), pa.timestamp("us")


CAMPAIGN_COLUMNS = ("campaign", "campaign_source", "campaign_medium", "campaign_term", "campaign_content")


def _schema(**types: pa.DataType) -> pa.Schema:
    return pa.schema(list(types.items()))


EVENTS = _schema(
    item=_BIG,
    message_id=_TEXT,
    type=_TEXT,
    event=_TEXT,
    ts=_TIME,
    received_at=_TIME,
    source=_TEXT,
    touchpoint=_TEXT,
    domain=_TEXT,
    session_id=_TEXT,
    **dict.fromkeys(CAMPAIGN_COLUMNS, _TEXT),
    subject=_BIG,
    given_subject_id=_BIG,
    properties=_TEXT,
)
IDENTIFIERS = _schema(subject=_BIG, kind=_TEXT, subject_key=_TEXT, value=_TEXT)
LINKS = _schema(item=_BIG, subject=_BIG, other=_BIG, rule=_TEXT)
TRAITS = _schema(item=_BIG, name=_TEXT, value=_TEXT, vault_key=_TEXT, priority=pa.int32())
QUARANTINE = _schema(
    item=pa.int32(),
    received_at=_TIME,
    source=_TEXT,
    message_id=_TEXT,
    event=_TEXT,
    reason=_TEXT,
    detail=_TEXT,
    subject_key=_TEXT,
    body=pa.binary(),
    via=_TEXT,
    sent_at=_TEXT,
    context=pa.binary(),
)
REPLAYED = _schema(
    item=_BIG,
    from_batch=_BIG,
    from_item=pa.int32(),
    source=_TEXT,
    received_at=_TIME,
    message_id=_TEXT,
    at=_TIME,
    actor=_TEXT,
    reason=_TEXT,
    detail=_TEXT,
)
ATTEMPTS = _schema(delivery_id=_BIG, phase=_TEXT, at=_TIME, outcome=_TEXT, provider_id=_TEXT, detail=_TEXT)
UNDECLARED = _schema(source=_TEXT, day=pa.date32(), event=_TEXT, property=_TEXT, type=_TEXT, seen=_BIG)
CARRIED = _schema(event=_TEXT, property=_TEXT)
PERSONAL = _schema(source=_TEXT, day=pa.date32(), event=_TEXT, property=_TEXT, kind=_TEXT, seen=_BIG)

Row = tuple[Any, ...]
_EVENT, _RECEIVED, _SOURCE = (EVENTS.names.index(name) for name in ("event", "received_at", "source"))


class Fate(NamedTuple):
    """What became of a call of quarantine that was read again; without a reason it is the rows of `item`."""

    item: int | None
    from_batch: int
    from_item: int
    source: str
    received_at: datetime
    message_id: str
    at: datetime
    actor: str
    reason: str | None
    detail: str | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has. `subject_id` is set where Spira itself knows whom it is about."""

    message_id: str
    type: str
    event: str
    ts: datetime
    received_at: datetime
    source: str
    touchpoint: str | None = None
    domain: str | None = None
    session_id: str | None = None
    campaign: tuple[str | None, ...] = (None, None, None, None, None)
    subject_id: int | None = None


class _Lines:
    """The lines of one array: Structs one after another, and how many each item has."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.counts: list[int] = []
        self.lines: list[Any] = []
        self.extras: list[str | None] = []

    def add(self, item: int, lines: list[Any], extras: list[str | None] | None) -> None:
        self.items.append(item)
        self.counts.append(len(lines))
        self.lines += lines
        self.extras += extras or repeat(None, len(lines))


class Columns:
    """Everything decoded so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._items = 0
        self._events: list[Row] = []
        self._carried: set[tuple[str, str]] = set()
        self._plain_events: list[pa.Table] = []
        self._plain_links: list[pa.Table] = []
        self._values: dict[str, tuple[list[int], list[Any]]] = {}
        self._lines: dict[str, _Lines] = {}
        self._subjects: dict[str, int] = {}
        self._identifiers: list[Row] = []
        self._links: list[Row] = []
        self._traits: list[Row] = []
        self._quarantine: list[Row] = []
        self._undeclared: Counter[tuple[str, date, str, str, str]] = Counter()
        self._personal: Counter[tuple[str, date, str, str, str]] = Counter()
        self.attempts: list[Row] = []
        self.replayed: list[Fate] = []

    @property
    def last(self) -> int:
        """The item of the newest rows."""
        return self._items

    def reserve(self, count: int) -> int:
        """Items for so many calls; the first of them."""
        first = self._items + 1
        self._items += count
        return first

    def add(self, event: Event, read: Read, person: Person, *, priority: int, item: int | None = None) -> None:
        """The rows of one event, under an item of its own where none was reserved."""
        item, place = item or self.reserve(1), len(self._events)
        subject = None if person.subject is None else self.number(person.subject)
        e = event
        about = (e.message_id, e.type, e.event, e.ts, e.received_at, e.source, e.touchpoint, e.domain, e.session_id)
        self._events.append((item, *about, *e.campaign, subject, e.subject_id, read.rest))
        self._carried.add((e.event, ""))
        for name, value in read.values.items():
            self._carried.add((e.event, name))
            places, values = self._values.setdefault(name, ([], []))
            places.append(place)
            values.append(value)
        for array, (lines, extras) in read.lines.items():
            self._lines.setdefault(array, _Lines()).add(item, lines, extras)
        self._links += ((item, subject, self.number(other), rule) for other, rule in person.linked)
        where = (e.source, e.received_at.date(), e.event)
        self._add_traits(item, person, priority, where)
        for what in read.undeclared:
            self._undeclared[*where[:2], *what] += 1
        for name, kind in read.personal:
            self._personal[*where, name, kind] += 1

    def add_plainly(
        self, events: pa.Table, found: Found, links: pa.Table, persons: Mapping[int, Person], chunk: Chunk
    ) -> None:
        """The rows of a chunk. `persons` are those of identifying calls, by place."""
        types, length = self._plan.properties(), len(chunk)

        def note(places: list[int], name: str, place: int, kind: str) -> None:
            at = places[place]
            origin = chunk.origins[at]
            self._personal[origin.source, origin.day, chunk.names[at], name, kind] += 1

        for name, (places, values) in found.values.items():
            made = column(types[name], values, name, partial(note, places, name))
            events = events.append_column(name, _scattered(made, places, length))
        self._plain_events.append(events)
        self._plain_links.append(links)
        for place, array, lines, extras in found.lines:
            self._lines.setdefault(array, _Lines()).add(chunk.items[place], lines, extras)
        for place, person in persons.items():
            item, origin = chunk.items[place], chunk.origins[place]
            subject = self.number(person.subject) if person.subject else None
            told = ((other, rule) for other, rule in person.linked if rule != SAME_CALL)
            self._links += ((item, subject, self.number(other), rule) for other, rule in told)
            self._add_traits(item, person, origin.facts.priority, (origin.source, origin.day, chunk.names[place]))
        self._carried |= found.carried
        self._undeclared.update(found.undeclared)
        self._personal.update(found.personal)

    def _add_traits(self, item: int, person: Person, priority: int, where: tuple[str, date, str]) -> None:
        """Traits; where something personal was taken out of one, only that and its kind is kept."""
        for trait in person.traits:
            self._traits.append((item, trait.name, trait.value, trait.vault_key, priority))
            for kind in trait.personal:
                self._personal[*where, trait.name, kind] += 1

    def refuse(self, row: Row, *, item: int | None = None) -> None:
        """A row of quarantine, under an item of its own where none was reserved."""
        self._quarantine.append((item or self.reserve(1), *row))

    def write(self, scratch: Path, stem: str, *, plan_lines: Properties, sealer: Sealer) -> dict[str, tuple[Path, int]]:
        """Write the files; their paths and numbers of rows by table."""
        tables = {
            "events": self._event_table(),
            "identifiers": _table(self._identifiers, IDENTIFIERS),
            "links": pa.concat_tables([_table(self._links, LINKS), *self._plain_links]),
            "traits": _table(self._traits, TRAITS),
            "quarantine": _table(self._quarantine, QUARANTINE),
            "attempts": _table(self.attempts, ATTEMPTS),
            "replayed": _table(self.replayed, REPLAYED),
            "carried": _table(sorted(self._carried), CARRIED),
            "undeclared": _table([(*what, seen) for what, seen in self._undeclared.items()], UNDECLARED),
            "personal": _table([(*what, seen) for what, seen in self._personal.items()], PERSONAL),
        }
        for array, lines in self._lines.items():
            tables[f"lines:{array}"] = _line_table(lines, plan_lines.lines(array))
        files: dict[str, tuple[Path, int]] = {}
        for name, rows in tables.items():
            if rows.num_rows:
                path = scratch / f"{stem}-{name.replace(':', '-')}.arrow"
                _write(path, rows)
                files[name] = (path, rows.num_rows)
        if sealer.sealed:
            path = scratch / f"{stem}-sealed.msgpack"
            path.write_bytes(msgspec.msgpack.encode(list(sealer.sealed.values())))
            files["sealed"] = (path, len(sealer.sealed))
        return files

    def number(self, identifier: Identifier) -> int:
        """The number of a subject within the stretch."""
        found = self._subjects.get(identifier.key)
        if found is None:
            found = self._subjects[identifier.key] = len(self._identifiers)
            self._identifiers.append((found, identifier.kind, identifier.key, identifier.value))
        return found

    def _event_table(self) -> pa.Table:
        made = _table(self._events, EVENTS)
        types, length = self._plan.properties(), len(self._events)
        for name, (places, values) in self._values.items():
            told = column(types[name], values, name, partial(self._found_declared, name, places))
            made = made.append_column(name, _scattered(told, places, length))
        return pa.concat_tables([made, *self._plain_events], promote_options="default")

    def _found_declared(self, name: str, places: list[int], place: int, kind: str) -> None:
        """Something personal in a declared text."""
        row = self._events[places[place]]
        self._personal[row[_SOURCE], row[_RECEIVED].date(), row[_EVENT], name, kind] += 1


def _scattered(values: pa.Array, places: list[int], length: int) -> pa.Array:
    """A column of a length that holds the values at their places, and nothing elsewhere."""
    taken = np.full(length, -1, np.int64)
    taken[places] = np.arange(len(places))
    return values.take(pa.array(taken, mask=taken < 0))


def _line_table(lines: _Lines, reader: Any) -> pa.Table:
    """One row per line, numbered from 1 within its item."""
    items = chain.from_iterable(repeat(item, count) for item, count in zip(lines.items, lines.counts, strict=True))
    numbers = chain.from_iterable(range(1, count + 1) for count in lines.counts)
    columns = {"item": pa.array(list(items), _BIG), "line": pa.array(list(numbers), pa.int32())}
    for name, type in reader.fields.items():
        columns[name] = column(type, list(map(attrgetter(reader.attributes[name]), lines.lines)), name)
    columns["properties"] = pa.array(lines.extras, _TEXT)
    return pa.table(columns)


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else repeat((), len(schema))
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=False)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _write(path: Path, rows: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
