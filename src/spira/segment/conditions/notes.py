"""What the checker gathers as it goes through a tree: faults, and what the expression reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from spira.kernel.diagnostics import did_you_mean
from spira.segment.conditions.catalog import EVERY_EVENT, Catalog, EventSchema, Role, Type
from spira.segment.conditions.faults import Fault
from spira.segment.conditions.tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What an expression depends on; properties of lines are written `products.department`."""

    events: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """One check in progress: the catalog, what may be used, and what was found so far."""

    catalog: Catalog
    aggregates: bool
    population: bool
    faults: list[Fault] = field(default_factory=list)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def fault(self, code: str, node: Node, message: str, help: str | None = None) -> None:
        """Note a fault at a node's place."""
        place = node.place
        self.faults.append(Fault(code=code, message=message, start=place.start, end=place.end, help=help))

    def unknown(self, code: str, node: Node, what: str, word: str, known: Iterable[str]) -> None:
        """Note a word that names nothing, with the nearest that does."""
        listed = sorted(known)
        few = f"there are: {', '.join(listed)}" if 0 < len(listed) <= 8 else None
        self.fault(code, node, f"there is no {what} called `{word}`", did_you_mean(word, listed) or few)

    def read(self, what: str, name: str) -> None:
        """Note that the expression depends on something."""
        self.seen.setdefault(what, set()).add(name)

    def reads(self) -> Reads:
        """Everything noted by `read`."""
        return Reads(**{what: frozenset(names) for what, names in self.seen.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScope:
    """Inside a behaviour function: names are properties of `event`, or of any event where it is None.

    `unknown` says that the event does not exist, so that nothing can be said of its properties.
    """

    function: str
    event: str | None = None
    unknown: bool = False

    def _schemas(self, catalog: Catalog) -> tuple[EventSchema, ...]:
        if self.event is None:
            return tuple(catalog.events.values())
        return (catalog.events[self.event],)

    def properties(self, catalog: Catalog) -> Mapping[str, Type]:
        """The properties that can be used here."""
        found: dict[str, Type] = dict(EVERY_EVENT)
        for schema in self._schemas(catalog):
            found.update({name: kind for name, kind in schema.properties.items() if name not in EVERY_EVENT})
        return found

    def fields(self, catalog: Catalog) -> Mapping[str, Type]:
        """The fields of lines that can be used here, with a dot."""
        found: dict[str, Type] = {}
        for schema in self._schemas(catalog):
            for array, fields in schema.arrays.items():
                found.update({f"{array}.{name}": kind for name, kind in fields.items()})
        return found

    def resolve(self, parts: tuple[str, ...], catalog: Catalog) -> tuple[Role, Type] | None:
        """What a name is here, or None."""
        word = ".".join(parts)
        role: Role = "property" if len(parts) == 1 else "field"
        known = self.properties(catalog) if role == "property" else self.fields(catalog)
        return (role, known[word]) if word in known else None
