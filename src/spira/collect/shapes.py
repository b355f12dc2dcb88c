"""Shapes: the properties of many calls at once, by the names they are made of.

Calls of one event that carry the same names in the same order have one shape. All values of a name
are read together: as one JSON list of its type, which is one call of the reader. What a value means is
said in collect.properties and collect.typed, and is the same here; a value that is not plainly what the
plan says makes its call odd, and the general way says what is wrong with it, or reads it after all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from spira.collect.chunk import UNREADABLE, Chunk, Origin, deep, list_of, one_by_one, texts_of
from spira.collect.modes import WHOLE
from spira.collect.personal import NAMED, names_contact, suspicious
from spira.collect.properties import (
    REMOVED,
    Properties,
    Read,
    clean,
    fields_of,
    kept,
    may_be_endless,
    name_and_category,
)
from spira.collect.tracking import EventPlan, Plan, PropertyType
from spira.collect.typed import INTEGERS, WrongType, is_null, kind_of_text, read, ticks_of

Raw = msgspec.Raw
Row = tuple[Raw, ...]
Seen = Counter[tuple[str, date, str, str, str]]  # source, day, event, property, type or kind
_TOLD = msgspec.json.Decoder(list[dict[str, Raw] | None])
_AT_ONCE: dict[PropertyType, msgspec.json.Decoder[Any]] = {
    "text": msgspec.json.Decoder(list[str | None]),
    "integer": msgspec.json.Decoder(list[int | None]),
    "number": msgspec.json.Decoder(list[float | None]),
    "money": msgspec.json.Decoder(list[float | None]),
    "boolean": msgspec.json.Decoder(list[bool | None]),
}
_NO_PLAN = EventPlan()


@dataclass(slots=True)
class Found:
    """What the calls of a chunk tell, by place: values by column, lines by array, the rest as JSON; and counts."""

    values: dict[str, tuple[list[int], list[Any]]] = field(default_factory=dict)
    lines: list[tuple[int, str, list[Any], list[str | None] | None]] = field(default_factory=list)
    rest: dict[int, str] = field(default_factory=dict)
    carried: set[tuple[str, str]] = field(default_factory=set)
    undeclared: Seen = field(default_factory=Counter)
    personal: Seen = field(default_factory=Counter)

    def keep(self, name: str, places: Sequence[int], values: Sequence[Any]) -> None:
        """Values of one column, null where there is none."""
        there, whole = self.values.setdefault(name, ([], []))
        there += places
        whole += values


@dataclass(slots=True)
class Shape:
    """Calls of one event and origin that carry the same names."""

    origin: Origin
    event: str
    is_track: bool
    names: tuple[str, ...]
    places: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def columns(self) -> list[tuple[str, Row]]:
        """The values by name."""
        return list(zip(self.names, zip(*self.rows, strict=True), strict=True))

    def key(self, name: str, what: str) -> tuple[str, date, str, str, str]:
        """Under what something seen of a property is counted."""
        return (self.origin.source, self.origin.day, self.event, name, what)


class Shapes:
    """Reads the properties of chunks by one plan."""

    def __init__(self, plan: Plan, properties: Properties) -> None:
        self._plan = plan
        self._properties = properties
        self._everywhere = plan.properties()

    def read(self, chunk: Chunk) -> Found:
        """Everything that the properties tell; calls that are not plain are added to the chunk's `odd`."""
        found = Found()
        for shape in self._shapes(chunk):
            if shape.origin.mode != "observe" and shape.is_track and not self._is_allowed(shape):
                chunk.odd.update(shape.places)
            else:
                self._read(shape, chunk, found)
        return found

    def _shapes(self, chunk: Chunk) -> list[Shape]:
        texts = texts_of([call.properties for call in chunk.calls])
        together = list_of(texts)
        chunk.odd |= deep(texts, together)
        shapes: dict[tuple[Any, ...], Shape] = {}
        rows = zip(self._told(texts, together, chunk.odd), chunk.calls, chunk.names, chunk.origins, strict=True)
        for place, (told, call, event, origin) in enumerate(rows):
            kind = call.type
            if kind != "track" and kind != "identify":
                name_and_category(told, call)
            names = tuple(told)
            key = (origin.source, origin.day, kind, event, names)
            shape = shapes.get(key)
            if shape is None:
                shape = shapes[key] = Shape(origin, event, kind == "track", names)
            shape.places.append(place)
            shape.rows.append(tuple(told.values()))
        return list(shapes.values())

    def _told(self, texts: list[bytes], together: bytes, odd: set[int]) -> list[dict[str, Raw]]:
        """The members of each text; those that are no object are odd."""
        try:
            return [each or {} for each in _TOLD.decode(together)]
        except UNREADABLE:
            return [each or {} for each in one_by_one(_TOLD, texts, odd)]

    def _is_allowed(self, shape: Shape) -> bool:
        """Whether the source's mode surely lets these calls in."""
        declared = self._plan.events.get(shape.event)
        return declared is not None and not (
            shape.origin.mode in WHOLE and any(name not in declared.properties for name in shape.names)
        )

    def _read(self, shape: Shape, chunk: Chunk, found: Found) -> None:
        declared = self._plan.events.get(shape.event)
        if declared is None:
            found.undeclared[shape.key("", "event")] += len(shape.places)
            declared = _NO_PLAN
        rest: list[tuple[str, list[bytes]]] = []
        found.carried.add((shape.event, ""))
        for name, column in shape.columns():
            if type := declared.properties.get(name) or (name not in declared.arrays and self._everywhere.get(name)):
                found.carried.add((shape.event, name))
                found.keep(name, shape.places, self._values(name, type, column, shape, chunk))
            elif name in declared.arrays:
                self._lines(name, column, shape, chunk, found)
            else:
                rest.append((name, self._undeclared(name, column, shape, found)))
        if rest:
            self._rest(rest, shape, chunk, found)

    def _values(self, name: str, type: PropertyType, column: Row, shape: Shape, chunk: Chunk) -> list[Any]:
        """The values of one column as `typed.read` gives them; what is of another type is odd."""
        if (values := _at_once(type, column)) is not None:
            return values
        values = []
        for place, raw in zip(shape.places, column, strict=True):
            try:
                values.append(read(name, type, raw))
            except WrongType:
                values.append(None)
                chunk.odd.add(place)
        return values

    def _lines(self, name: str, column: Row, shape: Shape, chunk: Chunk, found: Found) -> None:
        """The lines of a declared array; they are read by one Struct each as it is."""
        reader = self._properties.lines(name)
        for place, raw in zip(shape.places, column, strict=True):
            if is_null(raw):
                continue
            try:
                lines, extras = reader.read(raw)
                told = None if extras is None else [clean(each) for each in extras]
            except WrongType:
                chunk.odd.add(place)
            else:
                found.lines.append((place, name, lines, told))

    def _undeclared(self, name: str, column: Row, shape: Shape, found: Found) -> list[bytes]:
        """The texts of what nobody declared, counted by what they could be declared as."""
        texts = list(map(bytes, column))
        kinds = _kinds(texts)
        for kind, seen in kinds.items():
            found.undeclared[shape.key(name, kind)] += seen
        if "array" in kinds:
            for raw in column:
                for of in fields_of(shape.event, name, raw):
                    found.undeclared[(shape.origin.source, shape.origin.day, *of)] += 1
        if names_contact(name):
            found.personal[shape.key(name, NAMED)] += len(texts) - kinds.get("null", 0)
            return [text if text == b"null" else REMOVED for text in texts]
        return texts

    def _rest(self, rest: list[tuple[str, list[bytes]]], shape: Shape, chunk: Chunk, found: Found) -> None:
        """What is undeclared, as JSON; where any may hold something personal, each is looked at by itself."""
        names = [name for name, _ in rest]
        template = b"{%b}" % b",".join(b"%b:%%b" % msgspec.json.encode(name).replace(b"%", b"%%") for name in names)
        rows = list(zip(*(texts for _, texts in rest), strict=True))
        wholes = [template % row for row in rows]
        together = b"\n".join(wholes)
        if not suspicious(together) and not may_be_endless(together):
            found.rest.update(zip(shape.places, together.decode().split("\n"), strict=True))
            return
        for place, row in zip(shape.places, rows, strict=True):
            one = Read()
            try:
                found.rest[place] = kept(dict(zip(names, map(Raw, row), strict=True)), one)
            except WrongType:
                chunk.odd.add(place)
            for name, kind in one.personal:
                found.personal[shape.key(name, kind)] += 1


def _at_once(type: PropertyType, column: Row) -> list[Any] | None:
    """The values of a column read in one go; None where they have to be looked at one by one."""
    decoder = _AT_ONCE.get(type)
    if decoder is None:
        return None
    try:
        values: list[Any] = decoder.decode(list_of(column))
    except UNREADABLE:
        return None
    if type == "money":
        return ticks_of(values)
    return None if type == "integer" and not _are_small(values) else values


def _are_small(values: list[int | None]) -> bool:
    """Whether BIGINT holds all of them."""
    numbers = [value for value in values if value is not None]
    return not numbers or (min(numbers) >= -INTEGERS and max(numbers) < INTEGERS)


def _kinds(texts: list[bytes]) -> dict[str, int]:
    """How many of the texts could be declared as what; most columns are texts that are no dates."""
    if all(text[:1] == b'"' and text[5:6] != b"-" for text in texts):
        return {"text": len(texts)}
    return Counter(map(kind_of_text, texts))
