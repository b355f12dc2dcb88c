"""Metric points: each metric by period and slice, kept equal to what the events say.

Reads   `profile_events`, `overlay`, `changes`
Writes  `metric_points`    one row per metric, version, grain, period and slice
        `metric_versions`  which were computed, be it that nothing was seen of them
        `metric_overlay`   who had moved to another profile when the points were computed

Periods are local to the workspace (a `period` is the wall-clock start of a day, week or
month). Only the periods are computed again in which there is news of a metric's kind of event:
one came in, or lay ahead of the last run, or its person became another. A changed
definition is a new version, computed whole, and the old version's points go; so is everything
when events have gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from spira.kernel.clock import midnight
from spira.measure.metrics.compiler import Aggregate, Refused, parse_aggregate, parse_row_condition, points_query
from spira.measure.metrics.definition import MetricDefinition
from spira.storage import progress
from spira.storage.warehouse import Warehouse

STAGE = "measure.metrics"
EVENTS_COUNTED = "measure.metrics.events"
_WHOLE = (date(1, 1, 1), date(9999, 1, 1))
_MOST_STRETCHES = 12  # of periods that are asked for one by one; more are asked for as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An applied metric: its definition and the version (fingerprint) of it."""

    definition: MetricDefinition
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What the points do not say yet: the days by kind of event; `gone` when an erasure took events away."""

    days: Mapping[str, set[date]]
    batch: int
    events: int
    gone: bool


def compute(warehouse: Warehouse, metrics: Sequence[Metric], *, as_of: datetime, zone: str, full: bool = False) -> int:
    """Bring `metric_points` up to `as_of`; how many points were written."""
    written = 0
    with warehouse.transaction():
        news = _news(warehouse, as_of, zone)
        known = {(name, version): computed for name, version, computed in warehouse.query(_VERSIONS)}
        wanted = {(each.definition.metric, each.version) for each in metrics}
        columns = frozenset(warehouse.columns("profile_events"))
        for name, version in known.keys() - wanted:
            for statement in _DROP:
                warehouse.execute(statement, {"metric": name, "version": version})
        for metric in metrics:
            computed = known.get((metric.definition.metric, metric.version), False)
            fresh = full or news.gone or not computed
            days = None if fresh else news.days.get(metric.definition.from_, set())
            if days is None or days:
                points = _points(warehouse, metric, columns, as_of=as_of, zone=zone, days=days)
                written += points or 0
                computed = computed or points is None
            if not computed:
                warehouse.execute(_COMPUTED, {"metric": metric.definition.metric, "version": metric.version})
        progress.mark(warehouse, STAGE, news.batch, as_of)
        progress.mark(warehouse, EVENTS_COUNTED, news.events, as_of)
    return written


def _news(warehouse: Warehouse, as_of: datetime, zone: str) -> _News:
    """Look for news since the last run, and take note of who has moved meanwhile."""
    since, stood = progress.since(warehouse, STAGE), progress.stood_at(warehouse, STAGE) or as_of
    found = warehouse.query(_NEW, {"since": since, "stood": stood, "as_of": as_of, "zone": zone})
    days: dict[str, set[date]] = {}
    for event, day, _, _ in found:
        days.setdefault(event, set()).add(day)
    newest = max([since, int(warehouse.value(_NEWEST)), *(batch for _, _, batch, _ in found)])
    if newest > since and warehouse.execute(_MOVED):
        for event, day in warehouse.query(_DAYS_OF_MOVED, {"zone": zone}):
            days.setdefault(event, set()).add(day)
        warehouse.execute(_FORGET_MOVED)
        warehouse.execute(_NOTE_MOVED)
    events = int(warehouse.value(_EVENTS))
    old = events - sum(fresh for _, _, _, fresh in found)
    gone = old < progress.since(warehouse, EVENTS_COUNTED)
    return _News(days=days, batch=newest, events=events, gone=gone)


def _points(
    warehouse: Warehouse, metric: Metric, known: frozenset[str], *, as_of: datetime, zone: str, days: set[date] | None
) -> int | None:
    """Compute a metric's periods that hold any of `days`, all of them for None; how many points.

    None for a property that is declared but has no column yet: nothing was seen of it.
    """
    definition, written = metric.definition, 0
    for grain in definition.grain:
        statement = _statement(_Asked.of(definition, grain=grain, zone=zone), known)
        if statement is None:
            return None
        key = {"metric": definition.metric, "version": metric.version, "grain": grain}
        for begins, ends in [_WHOLE] if days is None else stretches(days, grain):
            until = as_of if ends == _WHOLE[1] else min(as_of, midnight(ends, zone))
            warehouse.execute(_CLEAR, {**key, "begins": begins, "ends": ends})
            points = warehouse.arrow(statement, {"start": _instant(begins, zone), "as_of": until})
            with warehouse.registered("fresh_points", points):
                warehouse.execute(_INSERT, {**key, "as_of": as_of})
            written += points.num_rows
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """All that a metric's statement depends on."""

    value: str
    event: str
    where: str | None
    by: tuple[str, ...]
    grain: str
    zone: str

    @classmethod
    def of(cls, definition: MetricDefinition, *, grain: str, zone: str) -> _Asked:
        return cls(
            value=definition.value,
            event=definition.from_,
            where=definition.where,
            by=tuple(definition.by),
            grain=grain,
            zone=zone,
        )


@lru_cache(maxsize=512)
def _statement(asked: _Asked, known: frozenset[str]) -> str | None:
    """The SQL of one metric and grain; None while a column that it names is missing."""
    value = parse_aggregate(asked.value, known)
    where = parse_row_condition(asked.where, known) if asked.where else None
    if not isinstance(value, Aggregate) or isinstance(where, Refused) or not known.issuperset(asked.by):
        return None
    query = points_query(
        value=value.tree,
        event=asked.event,
        where=where.tree if where else None,
        grain=asked.grain,
        by=asked.by,
        zone=asked.zone,
    )
    return query.sql(dialect="duckdb")


def stretches(days: Collection[date], grain: str) -> list[tuple[date, date]]:
    """The periods that hold any of the days, as stretches without a gap: the first day of each, and the day after."""
    periods = sorted({_period_start(day, grain) for day in days})
    found: list[tuple[date, date]] = []
    for start in periods:
        begins = found.pop()[0] if found and found[-1][1] == start else start
        found.append((begins, _period_end(start, grain)))
    return found if len(found) <= _MOST_STRETCHES else [(found[0][0], found[-1][1])]


def _period_start(day: date, grain: str) -> date:
    """The first day of the day, week (Monday) or month that holds `day`."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _period_end(start: date, grain: str) -> date:
    """The first day after the period that begins with `start`."""
    if grain == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if grain == "week" else 1)


def _instant(day: date, zone: str) -> datetime:
    """When `day` begins; the first of days is before every zone's midnight."""
    return datetime(1, 1, 1) if day == _WHOLE[0] else midnight(day, zone)


# Two halves, so that each skips the row groups that its own bounds exclude.
_NEW = """
select event, ((ts at time zone 'UTC') at time zone $zone)::date as day, max(batch),
       count(*) filter (batch > $since)
from (
  select event, ts, batch from events where batch > $since
  union all
  select event, ts, batch from events where batch <= $since and ts >= $stood and ts < $as_of
) group by event, day
"""
_NEWEST = "select coalesce(max(batch), 0) from changes"
_EVENTS = "select count(*) from events"
_MOVED = """
create or replace temp table metric_moved as
select subject_id from overlay full join metric_overlay before using (subject_id)
where overlay.profile_id is distinct from before.profile_id
"""
_DAYS_OF_MOVED = """
select distinct event, ((ts at time zone 'UTC') at time zone $zone)::date
from events where subject_id in (select subject_id from metric_moved)
"""
_FORGET_MOVED = "delete from metric_overlay where subject_id in (select subject_id from metric_moved)"
_NOTE_MOVED = """
insert into metric_overlay by name
select subject_id, profile_id from overlay where subject_id in (select subject_id from metric_moved)
"""
_VERSIONS = """
select metric, version, bool_or(computed)
from (select metric, version, true as computed from metric_versions
      union all select distinct metric, version, false from metric_points)
group by metric, version
"""
_COMPUTED = "insert into metric_versions values ($metric, $version)"
_DROP = (
    "delete from metric_points where metric = $metric and version = $version",
    "delete from metric_versions where metric = $metric and version = $version",
)
_CLEAR = """
delete from metric_points
where metric = $metric and version = $version and grain = $grain
  and period >= $begins and period < $ends
"""
_INSERT = """
insert into metric_points by name
select $metric as metric, $version as version, $grain as grain, period, slice, value, $as_of::timestamp as as_of
from fresh_points where period is not null
"""
