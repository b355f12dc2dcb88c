"""Metric points: each metric by period and slice, kept equal to what the events say.

Reads   `profile_events`
Writes  `metric_points`   one row per metric, version, grain, period and slice

Periods are local to the workspace (a `period` is the wall-clock start of a day, week or
month). Only the periods that new events of a metric's kind fall into are computed again; a changed definition
is a new version, computed whole, and the old version's points go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from spira.kernel.clock import local, midnight
from spira.measure.metrics.compiler import Aggregate, Refused, parse_aggregate, parse_row_condition, points_query
from spira.measure.metrics.definition import MetricDefinition
from spira.storage import progress
from spira.storage.warehouse import Warehouse

STAGE = "measure.metrics"
_BEGINNING = datetime(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An applied metric: its definition and the version (fingerprint) of it."""

    definition: MetricDefinition
    version: str


def compute(warehouse: Warehouse, metrics: Sequence[Metric], *, as_of: datetime, zone: str, full: bool = False) -> int:
    """Bring `metric_points` up to `as_of`; how many points were written."""
    since = progress.since(warehouse, STAGE)
    news = {event: (batch, first) for event, batch, first in warehouse.query(_NEW, {"since": since})}
    known = {(name, version) for name, version in warehouse.query(_VERSIONS)}
    wanted = {(each.definition.metric, each.version) for each in metrics}
    if not news and known == wanted and not full:
        return 0
    written, columns = 0, frozenset(warehouse.columns("profile_events"))
    with warehouse.transaction():
        for name, version in known - wanted:
            warehouse.execute(_DROP, {"metric": name, "version": version})
        for metric in metrics:
            fresh = full or (metric.definition.metric, metric.version) not in known
            _, first = news.get(metric.definition.from_, (since, None))
            if fresh or first is not None:
                begin = None if fresh else first
                written += _points(warehouse, metric, columns, as_of=as_of, zone=zone, first=begin)
        progress.mark(warehouse, STAGE, max([since, *(batch for batch, _ in news.values())]), as_of)
    return written


def _points(
    warehouse: Warehouse, metric: Metric, known: frozenset[str], *, as_of: datetime, zone: str, first: datetime | None
) -> int:
    """Compute a metric's periods from the one that holds `first`; all of them for None."""
    definition, written = metric.definition, 0
    for grain in definition.grain:
        statement = _statement(_Asked.of(definition, grain=grain, zone=zone), known)
        if statement is None:
            continue  # a property that is declared but has no column yet: nothing was seen of it
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


_NEW = "select event, max(batch), min(ts) from events where batch > $since group by event"
_VERSIONS = "select distinct metric, version from metric_points"
_DROP = "delete from metric_points where metric = $metric and version = $version"
_CLEAR = """
delete from metric_points
where metric = $metric and version = $version and grain = $grain and period >= $start
"""
_INSERT = """
insert into metric_points by name
select $metric as metric, $version as version, $grain as grain, period, slice, value, $as_of::timestamp as as_of
from fresh_points where period is not null
"""
