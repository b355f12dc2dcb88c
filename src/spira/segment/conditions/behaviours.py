"""Behaviours: what the functions about events ask, freed from how they were written.

Equal behaviours are computed once, however many tags and conditions ask for them:
`did('A')` and `count_of('A')` count the same events, `days_since('A')` and
`max_of(ts, 'A')` look for the same instant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal as Choice

from spira.segment.conditions.arguments import text
from spira.segment.conditions.functions import AGGREGATES, BEHAVIOURS
from spira.segment.conditions.tree import Call, Compare, Literal, Logic, Name, Node, walk
from spira.segment.conditions.windows import Window, length_of, window_of

Measure = Choice["count", "sum", "avg", "min", "max", "distinct", "first", "last", "most"]
_MEASURES: dict[str, Measure] = {
    "did": "count",
    "count_of": "count",
    "sum_of": "sum",
    "avg_of": "avg",
    "min_of": "min",
    "max_of": "max",
    "distinct_of": "distinct",
    "first_of": "first",
    "last_of": "last",
    "most_of": "most",
    "days_since": "max",
    "count": "count",
    "sum": "sum",
    "avg": "avg",
    "min": "min",
    "max": "max",
}
TS = Name(parts=("ts",), role="property", type="time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Which events count: of one name or any, with conditions, in a window."""

    event: str | None
    conditions: tuple[Node, ...] = ()
    window: Window = field(default_factory=Window)

    def timeless(self) -> Events:
        """The same events, wherever now is; `since` and `until` do not move and stay."""
        return Events(
            event=self.event,
            conditions=self.conditions,
            window=Window(since=self.window.since, until=self.window.until),
        )

    def offsets(self) -> frozenset[timedelta]:
        """How long after an event it begins to count, and how long after it stops."""
        reach = self.window.reach
        return frozenset({self.window.ending}) | (frozenset() if reach is None else {reach})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One value over some events: `count` of them, `sum` of a property, and so on."""

    measure: Measure
    value: Node | None
    events: Events

    @property
    def array(self) -> str | None:
        """The array whose lines are meant, or None for events themselves."""
        return array_of((*self.events.conditions, *([] if self.value is None else [self.value])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Some `first` event with a `then` strictly later, at most `gap` later, and no `without` strictly between."""

    first: Events
    then: str
    gap: timedelta | None
    without: str | None


def is_behaviour(call: Call) -> bool:
    """Whether a call asks about events; `days_since` of a time does not."""
    if call.function == "days_since":
        first = call.positional()[0]
        return isinstance(first, Literal) and first.kind == "text"
    return call.function in BEHAVIOURS or call.function in AGGREGATES


def behaviour_of(call: Call, zone: str) -> Counted | Followed:
    """What a checked call asks."""
    if call.function in AGGREGATES:
        return _aggregate(call)
    named = call.named()
    window = window_of(named, zone)
    positional = call.positional()
    if call.function == "followed":
        first, then = positional
        return Followed(
            first=Events(event=text(first), window=window),
            then=text(then),
            gap=length_of(named.get("gap")),
            without=text(named["without"]) if "without" in named else None,
        )
    takes_value = BEHAVIOURS[call.function].value is not None
    value = positional[0] if takes_value else None
    event, *conditions = positional[1 if takes_value else 0 :]
    return Counted(
        measure=_MEASURES[call.function],
        value=TS if call.function == "days_since" else value,
        events=Events(event=text(event), conditions=tuple(conditions), window=window),
    )


def array_of(nodes: tuple[Node, ...]) -> str | None:
    """The array whose fields are named in these nodes."""
    fields = (each for node in nodes for each in walk(node) if isinstance(each, Name) and each.role == "field")
    found = next(fields, None)
    return None if found is None else found.parts[0]


def reads_event(nodes: tuple[Node, ...]) -> bool:
    """Whether these nodes need a property of the event that its lines do not carry."""
    names = (each for node in nodes for each in walk(node) if isinstance(each, Name))
    return any(each.role == "property" and each.parts[0] not in ("ts", "event") for each in names)


def _aggregate(call: Call) -> Counted:
    conjuncts: tuple[Node, ...] = ()
    if call.where is not None:
        is_all = isinstance(call.where, Logic) and call.where.op == "and"
        conjuncts = call.where.operands if isinstance(call.where, Logic) and is_all else (call.where,)
    event = next((each for each in map(_names_event, conjuncts) if each is not None), None)
    rest = tuple(each for each in conjuncts if event is None or _names_event(each) != event)
    return Counted(
        measure="distinct" if call.distinct else _MEASURES[call.function],
        value=call.arguments[0] if call.arguments else None,
        events=Events(event=event, conditions=rest, window=Window()),
    )


def _names_event(node: Node) -> str | None:
    match node:
        case Compare(op="=", left=Name(parts=("event",)), right=Literal(kind="text", value=str(name))):
            return name
        case _:
            return None
