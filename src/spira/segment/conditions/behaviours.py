"""Behaviours: what the functions about events ask, freed from how they were written.

Equal behaviours are computed once, however many tags and conditions ask for them:
`did('A')` and `count_of('A')` count the same events, `days_since('A')` and
`max_of(ts, 'A')` look for the same instant.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    "active_days": "distinct",
    "count": "count",
    "sum": "sum",
    "avg": "avg",
    "min": "min",
    "max": "max",
}
TS = Name(parts=("ts",), role="property", type="time")
DAY = Call(function="date", arguments=(TS,), type="date")  # the local day of an event
# What a function counts where it takes no property.
_VALUES: dict[str, Node] = {"days_since": TS, "active_days": DAY}


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
    """One value over some events: `count` of them, `sum` of a property, and so on.

    With `half_life`, of the most frequent value: how much earlier than the latest event counts half as much.
    """

    measure: Measure
    value: Node | None
    events: Events
    half_life: timedelta | None = None

    @property
    def array(self) -> str | None:
        """The array whose lines are meant, or None for events themselves."""
        return array_of((*self.events.conditions, *([] if self.value is None else [self.value])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Some `first` event with a `then` strictly later, at most `gap` later, and no `without` strictly between.

    All of it happened before `shift` ago; `ending` is about the first event alone.
    """

    first: Events
    then: str
    gap: timedelta | None
    without: str | None
    shift: timedelta = timedelta(0)

    def later(self) -> tuple[Events, ...]:
        """What comes after the first event, and what may not come between."""
        names = (self.then,) if self.without is None else (self.then, self.without)
        return tuple(Events(event=each, window=Window(ending=self.shift)) for each in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How far somebody came from a `first` event through the `steps` after it, each strictly later.

    `limit` is the longest time from one step to the next, or from the first to each when `is_total`. Who came less
    far than the step `least` is of no interest: the second, unless only those who came further are asked for.
    """

    first: Events
    steps: tuple[str, ...]
    limit: timedelta | None
    is_total: bool
    shift: timedelta = timedelta(0)
    least: int = 2

    def later(self) -> tuple[Events, ...]:
        """The steps after the first."""
        return tuple(Events(event=each, window=Window(ending=self.shift)) for each in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """The most local days in a row with such an event; `current` asks for the row that reaches yesterday or today."""

    events: Events
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Whether one of the events has, for `each` condition, a line of which it is true."""

    events: Events
    each: tuple[Node, ...]

    @property
    def array(self) -> str | None:
        """The array whose lines are meant."""
        return array_of(self.each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """Whether somebody entered, or left, an audience in a window."""

    audience: str
    entered: bool
    window: Window


Behaviour = Counted | Followed | Funnel | Streak | Together


def crossed_of(call: Call, zone: str) -> Crossed:
    """What a checked `entered_audience` or `left_audience` asks."""
    window = _window(call, zone)
    return Crossed(audience=text(call.positional()[0]), entered=call.function == "entered_audience", window=window)


def is_behaviour(call: Call) -> bool:
    """Whether a call asks about events; `days_since` of a time does not."""
    if call.function == "days_since":
        first = call.positional()[0]
        return isinstance(first, Literal) and first.kind == "text"
    return call.function in BEHAVIOURS or call.function in AGGREGATES


def behaviour_of(call: Call, zone: str) -> Behaviour:
    """What a checked call asks."""
    if call.function in AGGREGATES:
        return _aggregate(call)
    named, positional, window = call.named(), call.positional(), _window(call, zone)
    if call.function in ("followed", "funnel"):
        return _in_order(call, Events(event=text(positional[0]), window=window))
    takes_value = BEHAVIOURS[call.function].value is not None
    event, *conditions = positional[1 if takes_value else 0 :]
    events = Events(event=text(event), conditions=tuple(conditions), window=window)
    match call.function:
        case "streak":
            current = named.get("current")
            return Streak(events=events, current=isinstance(current, Literal) and current.value is True)
        case "bought_with":
            return Together(events=replace(events, conditions=()), each=events.conditions)
        case _:
            return Counted(
                measure=_MEASURES[call.function],
                value=positional[0] if takes_value else _VALUES.get(call.function),
                events=events,
                half_life=length_of(named.get("half_life")),
            )


def _in_order(call: Call, first: Events) -> Followed | Funnel:
    named = call.named()
    later = [text(each) for each in call.positional()[1:]]
    limit = length_of(named.get("gap"))
    if call.function == "funnel":
        total = length_of(named.get("total"))
        is_total = total is not None
        return Funnel(first=first, steps=tuple(later), limit=total or limit, is_total=is_total, shift=call.shift)
    without = text(named["without"]) if "without" in named else None
    return Followed(first=first, then=later[0], gap=limit, without=without, shift=call.shift)


def _window(call: Call, zone: str) -> Window:
    """The window of a call, earlier where it stands inside `ago`."""
    found = window_of(call.named(), zone)
    return replace(found, ending=found.ending + call.shift)


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
        events=Events(event=event, conditions=rest, window=Window(ending=call.shift)),
    )


def _names_event(node: Node) -> str | None:
    match node:
        case Compare(op="=", left=Name(parts=("event",)), right=Literal(kind="text", value=str(name))):
            return name
        case _:
            return None
