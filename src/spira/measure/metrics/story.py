"""What a metric tells: its points, its last whole period against the one before, and who is behind them.

Reads   `metric_points`, `progress`, `profile_events` (its columns alone)

A period that still runs is told apart, for it can't be compared with a whole one. A period without
a point is a gap, but for counts, where nothing happened means none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlglot
from sqlglot import exp

from spira.definitions.model import Label
from spira.kernel.clock import local
from spira.measure.metrics.compiler import Aggregate, parse_aggregate, parse_row_condition, points_query
from spira.measure.metrics.compute import STAGE, Metric
from spira.measure.metrics.definition import Grain, MetricDefinition
from spira.segment.conditions.catalog import EVERY_EVENT, Catalog
from spira.segment.conditions.language import analyse
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.tree import Call, Compare, IsNull, Literal, Name, Named, Node
from spira.storage import progress
from spira.storage.warehouse import Warehouse

SPARK, SLICES = 30, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One period of a metric."""

    period: datetime = field(metadata={"help": "its start, by the workspace's wall clock"})
    value: float | None = field(metadata={"help": "its value"})
    as_of: datetime = field(metadata={"help": "when it was computed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCard:
    """One metric in the list of all; figures are null for staff of a single unit."""

    metric: str = field(metadata={"help": "its name"})
    label: Label = field(metadata={"help": "what people call it"})
    description: Label | None = field(metadata={"help": "one line more"})
    unit: str = field(metadata={"help": "count, money or share"})
    grain: Grain = field(metadata={"help": "the finest period it is computed for"})
    period: date | None = field(metadata={"help": "the first day of the last whole period"})
    value: float | None = field(metadata={"help": "its value then"})
    before: float | None = field(metadata={"help": "its value in the period before"})
    spark: tuple[float | None, ...] = field(metadata={"help": "its last whole periods, oldest first"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One value of a dimension in the last whole period."""

    value: str = field(metadata={"help": "the dimension's value; empty where there is none"})
    slice_name: str = field(metadata={"help": "the name under which its points are asked for"})
    now: float | None = field(metadata={"help": "its value in the last whole period"})
    before: float | None = field(metadata={"help": "its value in the period before"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A metric cut along one column."""

    by: str = field(metadata={"help": "the column"})
    slices: tuple[Slice, ...] = field(metadata={"help": "its values, the largest first"})
    more: int = field(metadata={"help": "how many more values there are"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStory:
    """Everything there is to say of one metric."""

    metric: str = field(metadata={"help": "its name"})
    label: Label = field(metadata={"help": "what people call it"})
    description: Label | None = field(metadata={"help": "one line more"})
    unit: str = field(metadata={"help": "count, money or share"})
    direction: str = field(metadata={"help": "whether more of it is better"})
    value: str = field(metadata={"help": "the aggregate"})
    event: str = field(metadata={"help": "the event whose rows it counts"})
    where: str | None = field(metadata={"help": "which of those rows"})
    grains: tuple[Grain, ...] = field(metadata={"help": "the periods it is computed for"})
    grain: str = field(metadata={"help": "the period that is shown"})
    slice_name: str = field(metadata={"help": "the slice that is shown; empty for the whole"})
    points: tuple[Point, ...] = field(metadata={"help": "its periods that have a value, oldest first"})
    period: date | None = field(metadata={"help": "the first day of the last whole period"})
    until: date | None = field(metadata={"help": "the first day after it"})
    now: float | None = field(metadata={"help": "the value of the last whole period"})
    before: float | None = field(metadata={"help": "the value of the period before"})
    running: float | None = field(metadata={"help": "the value so far of the period that still runs"})
    dimensions: tuple[Dimension, ...] = field(metadata={"help": "its slices by each of its dimensions"})
    people: str | None = field(metadata={"help": "the condition of the people behind the last whole period"})
    sql: str | None = field(metadata={"help": "the statement it compiles to; null until its columns exist"})
    as_of: datetime | None = field(metadata={"help": "the instant up to which events are in the points"})


def cards(warehouse: Warehouse, metrics: Sequence[Metric], *, as_of: datetime, zone: str) -> tuple[MetricCard, ...]:
    """Every metric with its last whole period, the one before, and a line of those that led there."""
    stood = _stood_at(warehouse, as_of)
    return tuple(_card(warehouse, each, as_of=stood, zone=zone) for each in metrics)


def bare_cards(metrics: Sequence[Metric]) -> tuple[MetricCard, ...]:
    """Every metric without figures."""
    return tuple(_told(each.definition, period=None, value=None, before=None, spark=()) for each in metrics)


def story(
    warehouse: Warehouse, catalog: Catalog, metric: Metric, *, grain: str | None, slice_name: str, as_of: datetime
) -> MetricStory:
    """One metric by `grain`, its finest when none is asked; `slice_name` chooses a slice, empty the whole."""
    made = metric.definition
    chosen = grain or ("day" if "day" in made.grain else made.grain[0])
    zone = catalog.zone
    points = _points(warehouse, metric, chosen, slice_name)
    by_period = {each.period.date(): each.value for each in points}
    stood = _stood_at(warehouse, as_of)
    running = period_of(local(stood, zone).date(), chosen)
    last = before_period(running, chosen)
    none = _of_nothing(made) if points else None
    return MetricStory(
        metric=made.metric,
        label=made.label,
        description=made.description,
        unit=made.unit,
        direction=made.direction,
        value=made.value,
        event=made.from_,
        where=made.where,
        grains=tuple(made.grain),
        grain=chosen,
        slice_name=slice_name,
        points=points,
        period=last if points else None,
        until=running if points else None,
        now=by_period.get(last, none),
        before=by_period.get(before_period(last, chosen), none),
        running=by_period.get(running, none),
        dimensions=tuple(_dimension(warehouse, metric, chosen, by, last, none) for by in made.by),
        people=people_behind(made, catalog, since=last, until=running, slice_name=slice_name) if points else None,
        sql=_sql(warehouse, made, chosen, zone),
        as_of=stood if points else None,
    )


def filled(story: MetricStory, *, last: int) -> list[tuple[date, float | None]]:
    """The last whole periods in order; one without a point is None, or nought for a count."""
    if not story.points:
        return []
    none = 0.0 if _counts(story.value) else None
    by_period = {each.period.date(): each.value for each in story.points}
    end = max(by_period) if story.until is None else before_period(story.until, story.grain)
    found: list[tuple[date, float | None]] = []
    at, first = end, min(by_period)
    while at >= first and len(found) < last:
        found.append((at, by_period.get(at, none)))
        at = before_period(at, story.grain)
    return found[::-1]


def people_behind(
    made: MetricDefinition, catalog: Catalog, *, since: date, until: date, slice_name: str = ""
) -> str | None:
    """The condition that chooses whom a metric speaks of in a period; None where the language can't say it."""
    arguments: list[Node] = [Literal(kind="text", value=made.from_)]
    window = [
        Named(name=name, value=Literal(kind="text", value=day.isoformat()))
        for name, day in (("since", since), ("until", until))
    ]
    text = canonical(Call(function="did", arguments=(*arguments, *window)))
    rows = [made.where] if made.where else []
    if slice_name:
        by, _, value = slice_name.partition("=")
        known = {**EVERY_EVENT, **(catalog.events[made.from_].properties if made.from_ in catalog.events else {})}
        if known.get(by) != "text":
            return None
        name = Name(parts=(by,))
        is_so: Node = Compare(op="=", left=name, right=Literal(kind="text", value=value))
        rows.append(canonical(is_so if value else IsNull(operand=name)))
    if rows:
        head = canonical(arguments[0])
        tail = ", ".join(canonical(each) for each in window)
        text = f"did({head}, {' and '.join(f'({each})' for each in rows)}, {tail})"
    found = analyse(text, catalog, expect="boolean")
    return None if found.faults or found.tree is None else canonical(found.tree)


def period_of(day: date, grain: str) -> date:
    """The first day of the period that holds `day`."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def before_period(first: date, grain: str) -> date:
    """The first day of the period before the one that begins on `first`."""
    return period_of(first - timedelta(days=1), grain)


def _stood_at(warehouse: Warehouse, as_of: datetime) -> datetime:
    """Up to when the points say everything; a period that was not over by then can't be called whole."""
    return min(as_of, progress.stood_at(warehouse, STAGE) or as_of)


def _card(warehouse: Warehouse, metric: Metric, *, as_of: datetime, zone: str) -> MetricCard:
    made = metric.definition
    grain = made.grain[0]
    last = before_period(period_of(local(as_of, zone).date(), grain), grain)
    first = last
    for _ in range(SPARK - 1):
        first = before_period(first, grain)
    asked = {"metric": made.metric, "version": metric.version, "grain": grain, "first": first, "last": last}
    by_period: dict[date, float] = {at.date(): value for at, value in warehouse.query(_SPARK, asked)}
    if not by_period:
        return _told(made, period=None, value=None, before=None, spark=())
    none = _of_nothing(made)
    spark: list[float | None] = []
    at = last
    while at >= min(by_period):
        spark.append(by_period.get(at, none))
        at = before_period(at, grain)
    before = by_period.get(before_period(last, grain), none)
    return _told(made, period=last, value=by_period.get(last, none), before=before, spark=tuple(spark[::-1]))


def _told(
    made: MetricDefinition,
    *,
    period: date | None,
    value: float | None,
    before: float | None,
    spark: tuple[float | None, ...],
) -> MetricCard:
    return MetricCard(
        metric=made.metric,
        label=made.label,
        description=made.description,
        unit=made.unit,
        grain=made.grain[0],
        period=period,
        value=value,
        before=before,
        spark=spark,
    )


def _points(warehouse: Warehouse, metric: Metric, grain: str, slice_name: str) -> tuple[Point, ...]:
    asked = {"metric": metric.definition.metric, "version": metric.version, "grain": grain, "slice": slice_name}
    return tuple(Point(**each) for each in warehouse.rows(_POINTS, asked))


def _dimension(warehouse: Warehouse, metric: Metric, grain: str, by: str, last: date, none: float | None) -> Dimension:
    asked = {"metric": metric.definition.metric, "version": metric.version, "grain": grain, "by": f"{by}="}
    found = warehouse.query(_SLICES, {**asked, "last": last, "before": before_period(last, grain)})
    slices = [
        Slice(
            value=name.removeprefix(f"{by}="),
            slice_name=name,
            now=none if now is None else now,
            before=none if before is None else before,
        )
        for name, now, before in found
    ]
    return Dimension(by=by, slices=tuple(slices[:SLICES]), more=max(len(slices) - SLICES, 0))


def _sql(warehouse: Warehouse, made: MetricDefinition, grain: str, zone: str) -> str | None:
    known = frozenset(warehouse.columns("profile_events"))
    value = parse_aggregate(made.value, known)
    where = parse_row_condition(made.where, known) if made.where else None
    if not isinstance(value, Aggregate) or (where is not None and not isinstance(where, Aggregate)):
        return None
    tree = where.tree if where else None
    query = points_query(value=value.tree, event=made.from_, where=tree, grain=grain, by=made.by, zone=zone)
    return query.sql(dialect="duckdb", pretty=True)


def _of_nothing(made: MetricDefinition) -> float | None:
    return 0.0 if _counts(made.value) else None


def _counts(value: str) -> bool:
    return isinstance(sqlglot.parse_one(value, dialect="duckdb"), exp.Count)


_POINTS = """
select period, value, as_of from metric_points
where metric = $metric and version = $version and grain = $grain and slice = $slice order by period
"""
_SPARK = """
select period, value from metric_points
where metric = $metric and version = $version and grain = $grain and slice = ''
  and period between $first::date and $last::date
"""
_SLICES = """
select slice, max(value) filter (period = $last::date) as now, max(value) filter (period = $before::date) as before
from metric_points
where metric = $metric and version = $version and grain = $grain and starts_with(slice, $by)
  and period in ($last::date, $before::date)
group by slice order by now desc nulls last, before desc nulls last, slice
"""
