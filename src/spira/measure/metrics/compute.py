"""Metric points: each metric by period and slice, kept equal to what the events say.

Reads   `profile_events`, `overlay`, `changes`
Writes  `metric_points`    one row per metric, version, grain, period and slice
        `metric_versions`  which were computed, be it that nothing was seen of them
        `metric_overlay`   who had moved to another profile when the points were computed

Periods are local to the workspace (a `period` is the wall-clock start of a day, week or
month). Only the periods from the first news of a metric's kind of event on are computed again:
an event came in, or lay ahead of the last run, or its person became another. A changed
definition is a new version, computed whole, and the old version's points go; so is everything
when events have gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from spira.kernel.clock import local, midnight
from spira.measure.metrics.compiler import Aggregate, Refused, parse_aggregate, parse_row_condition, points_query
from spira.measure.metrics.definition import MetricDefinition
from spira.storage import progress
from spira.storage.warehouse import Warehouse

STAGE = "measure.metrics"
EVENTS_COUNTED = "measure.metrics.events"
_BEGINNING = datetime(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An applied metric: its definition and the version (fingerprint) of it."""

    definition: MetricDefinition
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What the points do not say yet: from when on by kind of event; `gone` when an erasure took events away."""

    first: Mapping[str, datetime]
    batch: int
    events: int
    gone: bool


def compute(warehouse: Warehouse, metrics: Sequence[Metric], *, as_of: datetime, zone: str, full: bool = False) -> int:
    """Bring `metric_points` up to `as_of`; how many points were written."""
    written = 0
    with warehouse.transaction():
        news = _news(warehouse, as_of)
        known = {(name, version): computed for name, version, computed in warehouse.query(_VERSIONS)}
        wanted = {(each.definition.metric, each.version) for each in metrics}
        columns = frozenset(warehouse.columns("profile_events"))
        for name, version in known.keys() - wanted:
            for statement in _DROP:
                warehouse.execute(statement, {"metric": name, "version": version})
        for metric in metrics:
            computed = known.get((metric.definition.metric, metric.version), False)
            fresh = full or news.gone or not computed
            first = news.first.get(metric.definition.from_)
            if fresh or first is not None:
                begin = None if fresh else first
                points = _points(warehouse, metric, columns, as_of=as_of, zone=zone, first=begin)
                written += points or 0
                computed = computed or points is None
            if not computed:
                warehouse.execute(_COMPUTED, {"metric": metric.definition.metric, "version": metric.version})
        progress.mark(warehouse, STAGE, news.batch, as_of)
        progress.mark(warehouse, EVENTS_COUNTED, news.events, as_of)
    return written


def _news(warehouse: Warehouse, as_of: datetime) -> _News:
    """Look for news since the last run, and take note of who has moved meanwhile."""
    since, stood = progress.since(warehouse, STAGE), progress.stood_at(warehouse, STAGE) or as_of
    found = warehouse.query(_NEW, {"since": since, "stood": stood, "as_of": as_of})
    first: dict[str, datetime] = {event: ts for event, ts, _, _ in found}
    newest = max([since, int(warehouse.value(_NEWEST)), *(batch for _, _, batch, _ in found)])
    if newest > since and warehouse.execute(_MOVED):
        for event, ts in warehouse.query(_FIRST_OF_MOVED):
            first[event] = min(ts, first.get(event, ts))
        warehouse.execute(_FORGET_MOVED)
        warehouse.execute(_NOTE_MOVED)
    events = int(warehouse.value(_EVENTS))
    old = events - sum(fresh for _, _, _, fresh in found)
    gone = old < progress.since(warehouse, EVENTS_COUNTED)
    return _News(first=first, batch=newest, events=events, gone=gone)


def _points(
    warehouse: Warehouse, metric: Metric, known: frozenset[str], *, as_of: datetime, zone: str, first: datetime | None
) -> int | None:
    """Compute a metric's periods from the one that holds `first`, all of them for None; how many points.

    None for a property that is declared but has no column yet: nothing was seen of it.
    """
    definition, written = metric.definition, 0
    for grain in definition.grain:
        statement = _statement(_Asked.of(definition, grain=grain, zone=zone), known)
        if statement is None:
            return None
        start = _BEGINNING if first is None else _period_start(local(first, zone).replace(tzinfo=None), grain)
        begins = midnight(start.date(), zone) if first is not None else _BEGINNING
        key = {"metric": definition.metric, "version": metric.version, "grain": grain}
        warehouse.execute(_CLEAR, {**key, "start": start})
        points = warehouse.arrow(statement, {"start": begins, "as_of": as_of})
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


def _period_start(moment: datetime, grain: str) -> datetime:
    """The start of the day, week (Monday) or month that holds `moment`."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


# Two halves, so that each skips the row groups that its own bounds exclude.
_NEW = """
select event, min(ts), max(batch), count(*) filter (batch > $since) from (
  select event, ts, batch from events where batch > $since
  union all
  select event, ts, batch from events where batch <= $since and ts >= $stood and ts < $as_of
) group by event
"""
_NEWEST = "select coalesce(max(batch), 0) from changes"
_EVENTS = "select count(*) from events"
_MOVED = """
create or replace temp table metric_moved as
select subject_id from overlay full join metric_overlay before using (subject_id)
where overlay.profile_id is distinct from before.profile_id
"""
_FIRST_OF_MOVED = """
select event, min(ts) from events where subject_id in (select subject_id from metric_moved) group by event
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
where metric = $metric and version = $version and grain = $grain and period >= $start
"""
_INSERT = """
insert into metric_points by name
select $metric as metric, $version as version, $grain as grain, period, slice, value, $as_of::timestamp as as_of
from fresh_points where period is not null
"""
