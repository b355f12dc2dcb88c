"""Properties: what a call says of its event, parted into typed columns, lines and the rest.

A declared property is read by its type, and a wrong one is refused. What is not declared is
kept as JSON with addresses and telephone numbers taken out, and counted, so that a tracking
plan can be proposed from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isinf
from typing import Any

import msgspec

from spira.collect.calls import Call, fields, identity
from spira.collect.tracking import EventPlan, Plan, PropertyType
from spira.collect.typed import (
    READERS,
    Lines,
    WrongType,
    is_null,
    json_type,
    read,
    without_addresses,
)

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAYBE_ENDLESS = re.compile(r"[\d.][eE]\+?\d{3}|\d{309}")
_NUMBERS = re.compile(r"[\d.]+(?:[eE]\+?\d+)?")
_TELEPHONE = re.compile(r"(?<![\d.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?![\d.])")
_CONTACT_KEYS = frozenset(
    {"email", "phone", "mobile", "tel", "telephone", "phone_number", "phoneNumber", "address", "ip"}
)
_REMOVED = msgspec.Raw(b'"[removed]"')
_NO_PLAN = EventPlan()

Undeclared = tuple[str, str, str]


class Read(msgspec.Struct):
    """What was read: values by column, lines by array with what is undeclared in each, and the rest as JSON."""

    values: dict[str, Any] = {}
    lines: dict[str, tuple[list[Any], list[str | None] | None]] = {}
    rest: str | None = None
    undeclared: list[Undeclared] = []


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
        for name, raw in self._told(call):
            if name in declared.properties:
                if (value := _value(name, declared.properties[name], raw)) is not None:
                    found.values[name] = value
            elif name in declared.arrays:
                if not is_null(raw):
                    lines, extras = self._arrays[name].read(raw)
                    found.lines[name] = (lines, None if extras is None else [clean(each) for each in extras])
            elif not self._elsewhere(name, raw, found):
                rest[name] = _REMOVED if name in _CONTACT_KEYS else raw
                found.undeclared.append((event, name, json_type(raw)))
        if rest:
            found.rest = clean(msgspec.json.encode(rest))
        return found

    def _told(self, call: Call) -> Iterator[tuple[str, msgspec.Raw]]:
        """Every detail of the call, whichever part of it holds them for its type."""
        part = call.traits if call.type == "group" else call.properties
        text = fields(part)
        if text is not None:
            try:
                yield from _OBJECT.decode(text).items()
            except (msgspec.MsgspecError, RecursionError) as fault:
                raise WrongType(f"the properties can't be read: {fault}") from None
        if call.type in ("page", "screen"):
            for name, written in (("name", call.name), ("category", call.category)):
                if isinstance(written, str):
                    yield name, msgspec.Raw(msgspec.json.encode(written))
        if call.type == "group" and (group := identity(call.group_id)) is not None:
            yield "group_id", msgspec.Raw(msgspec.json.encode(group))

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


def _value(name: str, type: PropertyType, raw: msgspec.Raw) -> Any:
    """`read`, the common case first."""
    if type == "text":
        reader: Callable[[msgspec.Raw], Any] = READERS["text"]
        try:
            return reader(raw)
        except msgspec.MsgspecError:
            pass
    return read(name, type, raw)


def clean(text: bytes | None) -> str | None:
    """JSON text with addresses and telephone numbers taken out of its texts; WrongType for 1e999 and its like."""
    if text is None:
        return None
    shown = without_addresses(text.decode())
    if _MAYBE_ENDLESS.search(shown):
        _finite(shown)
    if not _TELEPHONE.search(shown):
        return shown
    return _STRINGS.sub(lambda found: _TELEPHONE.sub("[phone]", found.group()), shown)


def _finite(text: str) -> None:
    """Refuse a number so large that nobody can keep it: JSON allows it, and nothing that reads it back does."""
    for found in _NUMBERS.findall(_STRINGS.sub('""', text)):
        if isinf(float(found)):
            raise WrongType("a number is larger than any that can be kept")
