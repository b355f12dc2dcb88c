"""What a condition may speak of: events with their properties, tags, scores, traits, audiences.

A catalog is a value: whoever holds the applied definitions makes one, and the language
looks names up in it and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

Type = Literal["boolean", "integer", "number", "money", "text", "time", "date", "null"]
TYPES: tuple[Type, ...] = get_args(Type)
NUMERIC: frozenset[Type] = frozenset({"integer", "number", "money"})

Role = Literal["property", "field", "tag", "score", "trait"]

EVERY_EVENT: Mapping[str, Type] = {
    "ts": "time",
    "received_at": "time",
    "event": "text",
    "type": "text",
    "source": "text",
    "touchpoint": "text",
    "domain": "text",
    "campaign": "text",
}
"""The properties that every event has, whatever its tracking plan says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSchema:
    """One event: its declared properties, and its arrays with the fields of their lines."""

    properties: Mapping[str, Type] = field(default_factory=dict)
    arrays: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every name with its type; `zone` is where local midnights and hours are read."""

    events: Mapping[str, EventSchema] = field(default_factory=dict)
    tags: Mapping[str, Type] = field(default_factory=dict)
    scores: Mapping[str, Type] = field(default_factory=dict)
    traits: Mapping[str, Type] = field(default_factory=dict)
    audiences: frozenset[str] = frozenset()
    zone: str = "UTC"
    idle: Mapping[str, Type] = field(default_factory=dict)  # tags that are drafts or retired: nothing may use them

    def whole(self) -> Catalog:
        """The same with the idle tags among the others: what they are made of is read with it."""
        return replace(self, tags={**self.idle, **self.tags}, idle={}) if self.idle else self

    def roles(self, name: str) -> dict[Role, Type]:
        """What a name outside a behaviour function can mean; more than one is ambiguous."""
        places: tuple[tuple[Role, Mapping[str, Type]], ...] = (
            ("tag", self.tags),
            ("score", self.scores),
            ("trait", self.traits),
        )
        return {role: known[name] for role, known in places if name in known}
