"""Why: an expression taken apart for one person, so that they can see what makes it true, or what is missing.

Reads   what the expression speaks of, and `tag_cuts`; writes nothing.

Every part has the value that the same compiled statement gives it: one statement, one column a
part, for one person. What a function about events counted is shown beside it. Whoever calls has
seen to it that the viewer may look at the person (`unify.people.locate`).
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlglot import exp

from spira.kernel.errors import ConditionInvalid, Conflict
from spira.segment.conditions.arguments import text as text_of
from spira.segment.conditions.behaviours import Events, Followed, Funnel, Together, array_of, behaviour_of, is_behaviour
from spira.segment.conditions.catalog import Catalog, Type
from spira.segment.conditions.follows import after
from spira.segment.conditions.functions import HOUSEHOLDS, MEMBERSHIP, POPULATION
from spira.segment.conditions.language import Analysis, analyse
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.query import duckdb_sql, profiles_query
from spira.segment.conditions.scans import met, source_of
from spira.segment.conditions.tree import Call, Case, Compare, Literal, Logic, Name, Node, When, children
from spira.storage.warehouse import Warehouse
from spira.unify.portrait import says

LATEST = 3
_KINDS = {
    "Not": "not",
    "Compare": "compare",
    "In": "compare",
    "Between": "compare",
    "Like": "compare",
    "IsNull": "compare",
    "Arithmetic": "number",
    "Negative": "number",
    "Case": "case",
    "When": "when",
    "Literal": "constant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One event that counted."""

    event_id: int = says("the event's number")
    event: str = says("what happened")
    ts: datetime = says("when")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One class of a rank over everyone, as the last refresh drew it."""

    number: int = says("the class, the highest values in the highest")
    low: float | None = says("the least value in it")
    high: float | None = says("the greatest value in it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One part of an expression with its value for one person, and the parts that it is made of."""

    text: str = says("the part, as the language writes it")
    kind: str = says(
        "what it is: all, any, not, compare, number, case, when, function, behaviour, events, rank, tag, score, "
        "trait, audience, consent or constant"
    )
    name: str | None = says("the tag, score, trait, audience or event that it names")
    value: Any = says("its exact value for the person; null when it has none")
    holds: bool | None = says("whether it is true, for what can be true; null when that is unknown")
    count: int | None = says("how many events counted, for what is about events")
    latest: tuple[Evidence, ...] = says("the latest of them")
    cuts: tuple[Cut, ...] = says("where the classes of a rank begin and end")
    parts: tuple[Reason, ...] = says("what it is made of, constants left out")


def why(
    lane: Warehouse,
    catalog: Catalog,
    profile_id: int,
    text: str,
    *,
    as_of: datetime,
    expect: Type | None = None,
    tag: str | None = None,
) -> Reason:
    """The tree of an expression with each part's value for one person.

    `expect="boolean"` asks for a condition, whose null counts as false; else it is a tag's value,
    and `tag` names the tag whose cut points are shown. ConditionInvalid says what is wrong with a text.
    """
    whole = _understood(lane, text, catalog, expect)
    if whole.tree is None:
        raise TypeError("an expression without faults has a tree")
    sketch = _sketch(whole.tree, catalog.zone)
    every = list(_every(sketch))
    columns = {f"v{place}": _part(each.node, whole) for place, each in enumerate(every) if each.valued}
    statement = profiles_query(columns, catalog, restrict=True, edges=False)
    rows = lane.rows(duckdb_sql(_for_one(statement, profile_id)), {"as_of": as_of})
    found = rows[0] if rows else {}
    values = {id(each): found.get(f"v{place}") for place, each in enumerate(every)}
    counted = _counted(lane, every, profile_id, zone=catalog.zone, as_of=as_of)
    told = _Told(values=values, counted=counted, cuts=_cuts(lane, tag) if tag else ())
    return told.reason(sketch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sketch:
    """A part before its value is known. A branch of a `case` and the events behind a function have no value."""

    node: Node
    kind: str
    text: str
    valued: bool = True
    events: Events | None = None
    parts: tuple[_Sketch, ...] = ()


def _understood(lane: Warehouse, text: str, catalog: Catalog, expect: Type | None) -> Analysis:
    analysis = analyse(text, catalog, expect=expect, population=expect != "boolean")
    if analysis.faults:
        helps = [each.help for each in analysis.faults if each.help]
        raise ConditionInvalid("\n".join(each.message for each in analysis.faults), help=helps[0] if helps else None)
    missing = sorted(analysis.reads.tags.difference(lane.columns("tags"))) if analysis.reads.tags else []
    if missing:
        raise Conflict(f"the tag `{missing[0]}` has not been worked out yet", help="wait for a refresh, or ask for one")
    return analysis


def _sketch(node: Node, zone: str) -> _Sketch:
    """A part with the parts that have a value for the person: none inside a function about events, no constants."""
    if isinstance(node, Call) and is_behaviour(node):
        asked = behaviour_of(node, zone)
        if isinstance(asked, Followed | Funnel):
            return _Sketch(node=node, kind="behaviour", text=canonical(node), parts=tuple(_in_order(node, asked)))
        if isinstance(asked, Together):
            return _Sketch(node=node, kind="behaviour", text=canonical(node), parts=tuple(_lines(node, asked)))
        return _Sketch(node=node, kind="behaviour", text=canonical(node), events=asked.events)
    parts: tuple[Node, ...] = children(node)
    if isinstance(node, Case):
        parts = tuple(_branch(node, each) for each in parts)
    if isinstance(node, Call):
        parts = () if node.function in MEMBERSHIP else node.positional()
    kept = tuple(_sketch(each, zone) for each in parts if not isinstance(each, Literal))
    return _Sketch(node=node, kind=_kind(node), text=canonical(node), valued=not isinstance(node, When), parts=kept)


def _branch(case: Case, node: Node) -> Node:
    """A branch of `case x when 1 …` asks whether `x = 1`; others are as they are written."""
    if case.operand is None or not isinstance(node, When):
        return node
    return replace(node, condition=Compare(op="=", left=case.operand, right=node.condition, type="boolean"))


def _in_order(node: Call, asked: Followed | Funnel) -> Iterator[_Sketch]:
    """What a `followed` or a `funnel` looks at: the first events, those after, and those that may not come between."""
    for events in (asked.first, *(after(asked.first, each) for each in asked.later())):
        text = canonical(Literal(kind="text", value=events.event))
        yield _Sketch(node=node, kind="events", text=text, valued=False, events=events)


def _lines(node: Call, asked: Together) -> Iterator[_Sketch]:
    """What a `bought_with` looks at: the events with a line of which each condition is true."""
    for each in asked.each:
        events = replace(asked.events, conditions=(each,))
        yield _Sketch(node=node, kind="events", text=canonical(each), valued=False, events=events)


def _kind(node: Node) -> str:
    match node:
        case Logic():
            return "all" if node.op == "and" else "any"
        case Name():
            return node.role or "tag"
        case Call(function="in_audience" | "trait"):
            return "audience" if node.function == "in_audience" else "trait"
        case Call(function="consented"):
            return "consent"
        case Call():
            return "rank" if node.function in POPULATION and node.function not in HOUSEHOLDS else "function"
        case _:
            return _KINDS[type(node).__name__]


def _every(sketch: _Sketch) -> Iterator[_Sketch]:
    yield sketch
    for each in sketch.parts:
        yield from _every(each)


def _part(node: Node, whole: Analysis) -> Analysis:
    """A part as an expression of its own; only the whole counts null as false."""
    return replace(whole, tree=node, type=node.type, condition=whole.condition and node is whole.tree)


def _for_one(statement: exp.Query, profile_id: int) -> exp.Select:
    """The statement with one profile in the place of those that have changed."""
    only = exp.select(exp.alias_(exp.cast(exp.Literal.number(profile_id), "bigint"), "profile_id"))
    inner = statement.subquery("person", copy=False)
    return exp.select(exp.Star()).from_(inner).with_("changed", as_=only)


def _counted(
    lane: Warehouse, every: list[_Sketch], profile_id: int, *, zone: str, as_of: datetime
) -> Mapping[int, tuple[int, tuple[Evidence, ...]]]:
    """How many events counted for each function about events, and the latest of them; one statement."""
    found: dict[int, tuple[int, tuple[Evidence, ...]]] = {}
    asked = [each for each in every if each.events is not None]
    parts = [_latest(place, each.events, zone) for place, each in enumerate(asked) if each.events is not None]
    if not parts:
        return found
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = exp.union(union, part, distinct=False)
    rows = lane.query(duckdb_sql(_for_one(union, profile_id)), {"as_of": as_of})
    for place, each in enumerate(asked):
        mine = [row for row in rows if row[0] == place]
        latest = tuple(Evidence(event_id=number, event=event, ts=ts) for _, _, number, event, ts in mine)
        found[id(each)] = (mine[0][1] if mine else 0, latest)
    return found


def _latest(place: int, events: Events, zone: str) -> exp.Select:
    """The latest few events that count, each row with how many there are."""
    nodes = events.conditions
    rows = met(events, source_of(array_of(nodes), nodes, zone)).subquery("met", copy=False)
    total = exp.Window(this=exp.Count(this=exp.Star()))
    order = [exp.Ordered(this=exp.column(name), desc=True) for name in ("ts", "event_id")]
    chosen = exp.select(exp.Literal.number(place), total, exp.column("event_id"), exp.column("event"), exp.column("ts"))
    chosen = chosen.from_(rows).order_by(*order).limit(LATEST)
    return exp.select(exp.Star()).from_(chosen.subquery("some", copy=False))


def _cuts(lane: Warehouse, tag: str) -> tuple[Cut, ...]:
    return tuple(Cut(number=number, low=low, high=high) for number, low, high in lane.query(_CUTS, {"tag": tag}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What was found out about the parts, by the identity of their sketches."""

    values: Mapping[int, Any]
    counted: Mapping[int, tuple[int, tuple[Evidence, ...]]]
    cuts: tuple[Cut, ...]

    def reason(self, sketch: _Sketch) -> Reason:
        """A part and everything under it."""
        parts = tuple(self.reason(each) for each in sketch.parts)
        value = self.values.get(id(sketch)) if sketch.valued else None
        count, latest = self.counted.get(id(sketch), (None, ()))
        return Reason(
            text=sketch.text,
            kind=sketch.kind,
            name=_name(sketch),
            value=value,
            holds=self._holds(sketch, value),
            count=count,
            latest=latest,
            cuts=self.cuts if sketch.kind == "rank" else (),
            parts=parts,
        )

    def _holds(self, sketch: _Sketch, value: Any) -> bool | None:
        if isinstance(sketch.node, When):
            given = sketch.node.condition
            asked = next((each for each in sketch.parts if each.node is given), None)
            constant = given.value if isinstance(given, Literal) else None
            found = constant if asked is None else self.values.get(id(asked))
            return found if isinstance(found, bool) else None
        return value if isinstance(value, bool) else None


def _name(sketch: _Sketch) -> str | None:
    if sketch.events is not None:
        return sketch.events.event
    match sketch.node:
        case Name():
            return ".".join(sketch.node.parts)
        case Call(function="in_audience" | "trait"):
            return text_of(sketch.node.positional()[0])
        case _:
            return None


_CUTS = "select class, low, high from tag_cuts where tag = $tag order by class"
