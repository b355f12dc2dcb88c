"""Scans of events: one grouped select for all plain behaviours over events, one for each array's lines.

Reads   `profile_events`, `profile_order_lines` and the other views of lines, `changed` and `moved` when restricted
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.arguments import text
from spira.segment.conditions.behaviours import Counted, Events, reads_event
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.lower import How, lower
from spira.segment.conditions.sql import SQL_TYPES, Sql, column, when
from spira.segment.conditions.tree import Call, Name, Node, walk
from spira.segment.conditions.windows import Window

EVENTS, LINES, OWN = "e", "l", "own"
CHANGED = "changed"
_ON_LINES = ("ts", "event")
HEAVIEST = 40  # the power of two that the latest event weighs


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rows a scan runs over: events, or the lines of `array`, joined to their events where `joined`.

    `traits` are those of the person that conditions on the rows name, with their types.
    """

    array: str | None
    joined: bool
    zone: str
    traits: tuple[tuple[str, Type], ...] = ()

    @property
    def rows(self) -> str:
        """The alias of the rows that carry ts, event, event_id and profile_id."""
        return EVENTS if self.array is None else LINES

    def ts(self) -> Sql:
        """When an event happened."""
        return column("ts", self.rows)

    def order(self) -> Sql:
        """The total order of the rows."""
        keys = ["ts", "event_id"] if self.array is None else ["ts", "event_id", "line"]
        return exp.Tuple(expressions=[column(each, self.rows) for each in keys])

    def how(self) -> How:
        """How names are found inside a behaviour function."""
        return How(name=self._name, call=_own, zone=self.zone)

    def _name(self, node: Name) -> Sql:
        if node.role == "field":
            return column(node.parts[1], LINES)
        on_lines = self.array is not None and node.parts[0] in _ON_LINES
        return column(node.parts[0], LINES if on_lines else EVENTS)


def source_of(array: str | None, nodes: tuple[Node, ...], zone: str) -> Source:
    """The rows that expressions over events, or over the lines of `array`, need."""
    calls = (each for node in nodes for each in walk(node) if isinstance(each, Call) and each.function == "trait")
    traits = tuple(sorted({(text(each.positional()[0]), each.type or "text") for each in calls}))
    return Source(array=array, joined=array is not None and reads_event(nodes), zone=zone, traits=traits)


def _own(node: Call) -> Sql:
    if node.function != "trait":
        raise TypeError(f"`{node.function}` can't stand inside a behaviour function")
    return column(text(node.positional()[0]), OWN)


def trait_columns(traits: Mapping[str, Type], *, restrict: bool) -> exp.Select:
    """One row per person with some traits, each as its type."""
    found = exp.Select().select(column("profile_id", "t"), copy=False).from_(sql.source("traits", "t"), copy=False)
    for name in sorted(traits):
        chosen: Sql = exp.Max(this=when(sql.named_in(column("name", "t"), [name]), column("value", "t")))
        kind = traits[name]
        if kind not in ("text", "null"):
            chosen = sql.try_cast(sql.typed(chosen, "text"), SQL_TYPES[kind])
        found = found.select(exp.alias_(chosen, name, quoted=True), copy=False)
    found = found.where(sql.named_in(column("name", "t"), traits), copy=False)
    if restrict:
        found = found.where(restricted("t"), copy=False)
    return found.group_by(column("profile_id", "t"), copy=False)


def view_of(array: str) -> str:
    """The view that holds the lines of an array."""
    return "profile_order_lines" if array == "products" else f"profile_{array}_lines"


def qualifies(events: Events, source: Source) -> Sql:
    """Whether a row is one of the events, apart from where now is."""
    parts: list[Sql] = []
    if events.event is not None:
        parts.append(sql.named_in(column("event", source.rows), [events.event]))
    parts.extend(lower(each, source.how()) for each in events.conditions)
    window = events.window
    if window.since is not None:
        parts.append(exp.GTE(this=source.ts(), expression=sql.constant(window.since, "time")))
    if window.until is not None:
        parts.append(exp.LT(this=source.ts(), expression=sql.constant(window.until, "time")))
    return sql.every(parts)


def counts(events: Events, source: Source) -> Sql:
    """Whether a row counts now: one of the events, within its window, and already happened."""
    return sql.every([qualifies(events.timeless(), source), *_in_time(events.window, source)])


def _in_time(window: Window, source: Source) -> list[Sql]:
    parts: list[Sql] = [exp.LT(this=source.ts(), expression=sql.shifted(sql.as_of(), -window.ending))]
    if window.reach is not None:
        parts.append(exp.GTE(this=source.ts(), expression=sql.shifted(sql.as_of(), -window.reach)))
    return parts


def aggregate(counted: Counted, source: Source, *, alone: bool) -> Sql:
    """The aggregate that computes a plain behaviour over the rows of one person.

    `alone` says that the scan has no other rows than those it counts, so that none is looked at twice.
    """
    value = sql.whole(1) if counted.value is None else lower(counted.value, source.how())
    chosen = value if alone else when(counts(counted.events, source), value)
    match counted.measure:
        case "count":
            return exp.Count(this=chosen)
        case "distinct":
            return exp.Count(this=exp.Distinct(expressions=[chosen]))
        case "sum":
            return sql.typed(exp.Sum(this=chosen), None if counted.value is None else counted.value.type)
        case "avg":
            return _mean(chosen, None if counted.value is None else counted.value.type)
        case "min":
            return exp.Min(this=chosen)
        case "max":
            return exp.Max(this=chosen)
        case "first":
            return exp.ArgMin(this=chosen, expression=source.order())
        case "last":
            return exp.ArgMax(this=chosen, expression=source.order())
        case "most":
            raise TypeError("the most frequent value takes two passes")


def _mean(value: Sql, kind: Type | None) -> Sql:
    """The mean; of whole numbers and amounts their exact sum divided once.

    What an engine's own mean is in its last bit depends on how it goes about it, and a half is rounded either way.
    """
    if kind not in ("integer", "money"):
        return exp.Avg(this=value)
    total = sql.typed(exp.Sum(this=value), kind)
    return exp.Div(this=sql.cast(total, "double"), expression=sql.cast(exp.Count(this=value.copy()), "double"))


def first_edge(groups: Sequence[Events], offset: timedelta, source: Source) -> Sql:
    """The earliest event that, `offset` after it happened, is still to begin or stop to count."""
    some = sql.some([qualifies(each, source) for each in groups])
    due = exp.GTE(this=source.ts(), expression=sql.shifted(sql.as_of(), -offset))
    return exp.Min(this=when(sql.every([some, due]), source.ts()))


def is_alone(asked: Sequence[Events], *, future: bool) -> bool:
    """Whether all behaviours of a scan count the very same events: then its rows are those, and no others."""
    return not future and len(set(asked)) == 1


def scan(
    source: Source, asked: Sequence[Events], columns: Mapping[str, Sql], *, restrict: bool, future: bool
) -> exp.Select:
    """One row per person with some columns, over no more rows than the events asked for."""
    found = rows(source, asked, restrict=restrict, future=future)
    found = found.select(column("profile_id", source.rows), copy=False)
    for name, value in columns.items():
        found = found.select(exp.alias_(value, name, quoted=True), copy=False)
    return found.group_by(column("profile_id", source.rows), copy=False)


def grouped_by_value(
    source: Source, value: Node, counted: Sequence[tuple[str, Counted]], *, restrict: bool
) -> exp.Select:
    """One row per person and value of a property, with how often each behaviour met it."""
    found = rows(source, [each.events for _, each in counted], restrict=restrict, future=False)
    shown = lower(value, source.how())
    found = found.select(column("profile_id", source.rows), exp.alias_(shown, "value", quoted=True), copy=False)
    alone = is_alone([each.events for _, each in counted], future=False)
    for name, each in counted:
        number = exp.Count(this=sql.whole(1) if alone else when(counts(each.events, source), sql.whole(1)))
        found = found.select(exp.alias_(number, name, quoted=True), copy=False)
    return found.group_by(column("profile_id", source.rows), exp.Literal.number(2), copy=False)


def weighed_by_value(source: Source, value: Node, counted: Counted, found_as: str, *, restrict: bool) -> exp.Select:
    """One row per person and value of a property, with what its events weigh by their age.

    The latest event weighs 2^40, one that lies `half_life` before it half as much, none less than 1. Weights
    are whole numbers, so that their sum is the same in whatever order they are added; and they are counted from
    the latest event and not from now, so that no value changes by the hour.
    """
    alone = rows(source, [counted.events], restrict=restrict, future=False)
    latest = exp.Window(this=exp.Max(this=source.ts()), partition_by=[column("profile_id", source.rows)])
    alone = alone.select(
        column("profile_id", source.rows),
        exp.alias_(lower(value, source.how()), "value", quoted=True),
        exp.alias_(source.ts(), "ts", quoted=True),
        exp.alias_(latest, "latest", quoted=True),
        copy=False,
    )
    weighed = alone.subquery("a", copy=False)
    found = exp.Select().select(column("profile_id", "a"), column("value", "a"), copy=False)
    weight = sql.typed(exp.Sum(this=_weight(counted)), "integer")
    found = found.select(exp.alias_(weight, found_as, quoted=True), copy=False)
    return found.from_(weighed, copy=False).group_by(column("profile_id", "a"), column("value", "a"), copy=False)


def _weight(counted: Counted) -> Sql:
    half_life = counted.half_life or timedelta(1)
    age = exp.TimestampDiff(this=column("latest", "a"), expression=column("ts", "a"), unit=exp.Var(this="MICROSECOND"))
    halves = exp.Div(
        this=sql.cast(age, "double"), expression=sql.cast(sql.whole(half_life // timedelta(microseconds=1)), "double")
    )
    power = exp.Pow(
        this=sql.cast(sql.whole(2), "double"), expression=exp.Sub(this=sql.whole(HEAVIEST), expression=halves)
    )
    whole = sql.cast(exp.Floor(this=power), "bigint")
    return exp.Greatest(this=sql.whole(1), expressions=[whole], ignore_nulls=True)


def met(asked: Events, source: Source) -> exp.Select:
    """One row per event that counts, of the people in `changed`: its number, name, instant and whose it is."""
    found = rows(source, [asked], restrict=True, future=False)
    names = ("profile_id", "event_id", "event", "ts")
    return found.select(*(column(each, source.rows) for each in names), copy=False).distinct(copy=False)


def rows(source: Source, asked: Sequence[Events], *, restrict: bool, future: bool) -> exp.Select:
    """The rows that the events asked for have in common, with nothing selected of them yet."""
    if source.array is None:
        found = exp.Select().from_(sql.source("profile_events", EVENTS), copy=False)
    else:
        found = exp.Select().from_(sql.source(view_of(source.array), LINES), copy=False)
    if source.joined:
        same = exp.EQ(this=column("event_id", EVENTS), expression=column("event_id", LINES))
        found = found.join(sql.source("profile_events", EVENTS), on=same, copy=False)
    if source.traits:
        own = trait_columns(dict(source.traits), restrict=restrict).subquery(OWN, copy=False)
        theirs = exp.EQ(this=column("profile_id", OWN), expression=column("profile_id", source.rows))
        found = found.join(own, on=theirs, join_type="left", copy=False)
    conditions = _bounds(EVENTS, asked, future=future) if source.joined else []
    if is_alone(asked, future=future):
        conditions.append(counts(asked[0], source))
    else:
        conditions.extend(_bounds(source.rows, asked, future=future))
        conditions.extend(_shared(asked, source))
    for condition in conditions:
        found = found.where(sql.operand(condition), copy=False)
    if restrict:
        found = found.where(done_by(source.rows), copy=False)
    return found


def _shared(asked: Sequence[Events], source: Source) -> list[Sql]:
    """The conditions that all events asked for have to meet, where they are the same for all."""
    if len({(each.event, each.conditions) for each in asked}) > 1:
        return []
    return [lower(each, source.how()) for each in asked[0].conditions]


def _bounds(alias: str, asked: Sequence[Events], *, future: bool) -> list[Sql]:
    """What every row asked for has in common, so that the rest is never read."""
    found: list[Sql] = []
    names = [each.event for each in asked]
    if None not in names:
        found.append(sql.named_in(column("event", alias), {each for each in names if each is not None}))
    if not future:
        found.append(exp.LT(this=column("ts", alias), expression=sql.as_of()))
    reaches = [each.window.reach for each in asked]
    if None not in reaches:
        reach = max(each for each in reaches if each is not None)
        found.append(exp.GTE(this=column("ts", alias), expression=sql.shifted(sql.as_of(), -reach)))
    starts = [each.window.since for each in asked]
    if None not in starts:
        since = min(each for each in starts if each is not None)
        found.append(exp.GTE(this=column("ts", alias), expression=sql.constant(since, "time")))
    found.extend(_reached(alias, asked))
    return found


def _reached(alias: str, asked: Sequence[Events]) -> list[Sql]:
    """That an event is no older than anything looks at among those of its name, where names differ in that.

    Page views of two weeks beside orders of ninety days: most rows of the ninety are gone before they are grouped.
    What is recent enough for all names comes first, so that the names of those rows are not even compared.
    """
    reaches: dict[str, timedelta] = {}
    for each in asked:
        if each.event is None or each.window.reach is None:
            return []
        reaches[each.event] = max(reaches.get(each.event, timedelta(0)), each.window.reach)
    limits = sorted(set(reaches.values()))
    if len(limits) < 2:
        return []
    ways: list[Sql] = []
    for limit in limits:
        is_recent = exp.GTE(this=column("ts", alias), expression=sql.shifted(sql.as_of(), -limit))
        far = [sql.named_in(column("event", alias), [each]) for each in sorted(reaches) if reaches[each] >= limit]
        ways.append(sql.every([sql.some(far), is_recent]) if ways else is_recent)
    return [sql.some(ways)]


def restricted(alias: str) -> Sql:
    """Whether a row is of one of the profiles in `changed`."""
    return sql.in_query(column("profile_id", alias), _ids(CHANGED))


def done_by(alias: str, people: str = CHANGED) -> Sql:
    """Whether an event, or a line of one, was done by one of the profiles in a table, told by its subject.

    Whose an event is now is known only behind the join with `overlay`. Its subject lies in the rows themselves, so
    that the engine passes by what others did without reading more of it: half the work, and far less for few people.
    """
    merged = exp.Select().select(column("subject_id", "m"), copy=False).from_(sql.source("moved", "m"), copy=False)
    merged = merged.where(sql.in_query(column("profile_id", "m"), _ids(people)), copy=False)
    return sql.in_query(column("subject_id", alias), exp.union(_ids(people), merged, distinct=False, copy=False))


def _ids(people: str) -> exp.Select:
    return exp.Select().select(column("profile_id", "c"), copy=False).from_(sql.source(people, "c"), copy=False)
