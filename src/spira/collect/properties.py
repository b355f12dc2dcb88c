"""Properties: what a call says of its event, parted into typed columns, lines and the rest.

A declared property is read by its type, and a wrong one is refused. What is not declared is
kept as JSON with what is personal taken out (collect.personal), and counted, so that a tracking
plan can be proposed from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isinf
from typing import Any

import msgspec

from spira.collect.calls import Call, fields, identity
from spira.collect.personal import NAMED, Note, names_contact, names_thing, scrubbed, scrubbed_json, suspicious
from spira.collect.tracking import EventPlan, Plan, PropertyType
from spira.collect.typed import (
    READERS,
    Lines,
    WrongType,
    is_null,
    kind_of_value,
    read,
)

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAYBE_ENDLESS = re.compile(r"[\d.][eE]\+?\d{3}|\d{309}")
_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_LONGEST_FINITE = b"0" * 309
_NUMBERS = re.compile(r"[\d.]+(?:[eE]\+?\d+)?")
_LINES = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_LOOKED_LINES, _MOST_FIELDS = 20, 40
FIELD_MARK = "[]."  # between the name of an undeclared list and that of a field of its lines
REMOVED = msgspec.Raw(b'"[removed]"')
_NO_PLAN = EventPlan()

Undeclared = tuple[str, str, str]  # event, property, type
Personal = tuple[str, str]  # property, kind of what was taken out of it


class Read(msgspec.Struct):
    """What was read: values by column, lines by array with what is undeclared in each, and the rest as JSON."""

    values: dict[str, Any] = {}
    lines: dict[str, tuple[list[Any], list[str | None] | None]] = {}
    rest: str | None = None
    undeclared: list[Undeclared] = []
    personal: list[Personal] = []


class Properties:
    """Reads the properties of calls by one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._everywhere = plan.properties()
        self._arrays = {array: Lines(array, declared) for array, declared in plan.arrays().items()}

    def lines(self, array: str) -> Lines:
        """The reader of one array."""
        return self._arrays[array]

    def read(self, event: str, call: Call) -> Read:
        """The properties of a call; WrongType names the first that is not what the plan says."""
        declared = self._plan.events.get(event)
        found = Read()
        if declared is None:
            found.undeclared.append((event, "", "event"))
            declared = _NO_PLAN
        rest: dict[str, msgspec.Raw] = {}
        for name, raw in self._told(call).items():
            if name in declared.properties:
                if (value := _value(name, declared.properties[name], raw)) is not None:
                    found.values[name] = value
            elif name in declared.arrays:
                if not is_null(raw):
                    lines, extras = self._arrays[name].read(raw)
                    found.lines[name] = (lines, None if extras is None else [clean(each) for each in extras])
            elif not self._elsewhere(name, raw, found):
                if names_contact(name) and not is_null(raw):
                    found.personal.append((name, NAMED))
                    rest[name] = REMOVED
                else:
                    rest[name] = raw
                found.undeclared.append((event, name, type := kind_of_value(raw)))
                if type == "array":
                    found.undeclared += fields_of(event, name, raw)
        if rest:
            found.rest = kept(rest, found)
        return found

    def _told(self, call: Call) -> dict[str, msgspec.Raw]:
        """Every detail of the call, whichever part of it holds them for its type."""
        part = call.traits if call.type == "group" else call.properties
        text = fields(part)
        try:
            told = {} if text is None else _OBJECT.decode(text)
        except (msgspec.MsgspecError, RecursionError) as fault:
            raise WrongType(f"the properties can't be read: {fault}") from None
        if call.type in ("page", "screen"):
            name_and_category(told, call)
        if call.type == "group" and (group := identity(call.group_id)) is not None:
            told["group_id"] = msgspec.Raw(msgspec.json.encode(group))
        return told

    def _elsewhere(self, name: str, raw: msgspec.Raw, found: Read) -> bool:
        """A property that only other events declare goes to its column where the type is right."""
        type = self._everywhere.get(name)
        if type is None:
            return False
        try:
            value = read(name, type, raw)
        except WrongType:
            return False
        if value is not None:
            found.values[name] = value
        return True


def name_and_category(told: dict[str, msgspec.Raw], call: Call) -> None:
    """Pages and screens tell two of their properties beside the others."""
    for name, written in (("name", call.name), ("category", call.category)):
        if isinstance(written, str):
            told[name] = msgspec.Raw(msgspec.json.encode(written))


def _value(name: str, type: PropertyType, raw: msgspec.Raw) -> Any:
    """`read`, the common case first."""
    if type == "text":
        reader: Callable[[msgspec.Raw], Any] = READERS["text"]
        try:
            return reader(raw)
        except msgspec.MsgspecError:
            pass
    return read(name, type, raw)


def clean(text: bytes | None, note: Note = str) -> str | None:
    """JSON text with what is personal taken out; WrongType for 1e999 and its like. `note` is told each find's kind."""
    if text is None:
        return None
    shown = _finite(text)
    return scrubbed_json(shown, note) if suspicious(text) else shown


def clean_value(name: str, raw: msgspec.Raw, note: Note) -> str:
    """The value of something undeclared without what is personal: a text as it is, anything else as its JSON."""
    if bytes(raw)[:1] != b'"':
        return clean(bytes(raw), note) or ""
    text = str(msgspec.json.decode(raw))
    return scrubbed(text, note, thing=names_thing(name)) if suspicious(bytes(raw)) else text


def kept(rest: dict[str, msgspec.Raw], found: Read) -> str:
    """What is undeclared as JSON; where it may hold something personal each property is looked at by itself."""
    whole = msgspec.json.encode(rest)
    if not suspicious(whole):
        return _finite(whole)
    parts = []
    for name, raw in rest.items():
        part = msgspec.json.encode(name) + b":" + raw
        if suspicious(part):
            kinds: list[str] = []
            part = scrubbed_json(part.decode(), kinds.append, thing=names_thing(name)).encode()
            found.personal += [(name, kind) for kind in kinds]
        parts.append(part)
    return _finite(b"{" + b",".join(parts) + b"}")


def fields_of(event: str, name: str, raw: msgspec.Raw) -> Iterator[Undeclared]:
    """The fields of an undeclared list of lines, so that it can be declared as an array."""
    try:
        lines = _LINES.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return
    seen = {field: kind_of_value(value) for line in reversed(lines[:_LOOKED_LINES]) for field, value in line.items()}
    yield from ((event, f"{name}{FIELD_MARK}{field}", type) for field, type in list(seen.items())[:_MOST_FIELDS])


def may_be_endless(text: bytes) -> bool:
    """Whether a number in the JSON may be larger than any: cheap, and never wrongly no."""
    bare = text.translate(_DIGITS_ALIKE, b"+")
    return b"0e000" in bare or _LONGEST_FINITE in bare or b".e000" in bare


def _finite(text: bytes) -> str:
    """The JSON as text; WrongType for a number that is larger than any. JSON allows it, and nobody reads it back."""
    shown = text.decode()
    if may_be_endless(text) and _MAYBE_ENDLESS.search(shown):
        for found in _NUMBERS.findall(_STRINGS.sub('""', shown)):
            if isinf(float(found)):
                raise WrongType("a number is larger than any that can be kept")
    return shown
