"""Traffic: how much comes in through each source, what of it is refused, and which source has fallen silent.

Reads   `events`, `quarantine`, `undeclared`, `identifiers`

Counts go by when something was received. A source is silent when nothing has come for more than
twice its longest pause of the thirty days before its latest event, and for an hour at least; one
that was heard in fewer than three hours has no habit to break, until ninety days are over. Where a
source says after how many minutes its silence alarms, that counts instead, from its making on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from spira.collect.sources import Source
from spira.kernel.clock import local
from spira.storage.warehouse import Warehouse

DAYS = 30
HEARD = 90  # days back in which a habit is looked for
LEAST_HOURS = 3
NAMES = 100  # event names, and undeclared names, that are told of one source


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source in the list, without its key."""

    source: str = field(metadata={"help": "the source's name"})
    touchpoint: str | None = field(metadata={"help": "where its events happen, if it says"})
    domain: str | None = field(metadata={"help": "public or private, if it says"})
    priority: int = field(metadata={"help": "how far its traits are believed; the higher wins"})
    created_at: datetime = field(metadata={"help": "when it was made"})
    ended_at: datetime | None = field(metadata={"help": "since when nothing is taken from it"})
    previous_until: datetime | None = field(metadata={"help": "until when its previous key is good"})
    hour: int = field(metadata={"help": "events received in the last hour"})
    day: int = field(metadata={"help": "events received in the last 24 hours"})
    month: int = field(metadata={"help": "events received in the last 30 days"})
    refused: int = field(metadata={"help": "calls put into quarantine in the last 30 days and not loaded since"})
    refused_share: float | None = field(metadata={"help": "their share of all calls of these days"})
    last_seen: datetime | None = field(metadata={"help": "when it last sent an event that was taken"})
    usual_pause: float | None = field(metadata={"help": "the longest pause it makes, in seconds"})
    silent: bool = field(metadata={"help": "whether it is quiet for longer than its habit, or than it may be"})
    mode: str | None = field(metadata={"help": "observe, quarantine or block; none is what the tracking plan says"})
    silent_minutes: int | None = field(metadata={"help": "after how many minutes without an event it alarms"})
    consent_first: bool = field(metadata={"help": "whether its web pages keep and send nothing before a consent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """All sources."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    sources: tuple[SourceRow, ...] = field(metadata={"help": "the sources, by name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOf:
    """One local day of a source."""

    day: date = field(metadata={"help": "the day in the workspace's zone"})
    events: int = field(metadata={"help": "events received"})
    refused: int = field(metadata={"help": "calls put into quarantine"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """One event that a source sends."""

    event: str = field(metadata={"help": "its name"})
    events: int = field(metadata={"help": "how many in the last 30 days"})
    last_seen: datetime = field(metadata={"help": "the latest of them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeclared:
    """Something a source's events hold that no tracking plan declares."""

    event: str = field(metadata={"help": "the event"})
    property: str = field(metadata={"help": "the property; empty for the event itself"})
    type: str = field(metadata={"help": "its JSON type; `event` for the event itself"})
    seen: int = field(metadata={"help": "in how many calls, whichever source sent them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """How many identifiers of a kind a source speaks of."""

    kind: str = field(metadata={"help": "user_id, anonymous_id, email…"})
    identifiers: int = field(metadata={"help": "how many different ones in the last 30 days"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """Everything that the page of one source shows."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    source: SourceRow = field(metadata={"help": "the source"})
    days: tuple[DayOf, ...] = field(metadata={"help": "the last 30 days, oldest first"})
    events: tuple[EventCount, ...] = field(metadata={"help": "its events by name, most frequent first"})
    undeclared: tuple[Undeclared, ...] = field(metadata={"help": "what of them no tracking plan declares"})
    kinds: tuple[KindCount, ...] = field(metadata={"help": "whom its events are about, by kind of identifier"})
    reasons: dict[str, int] = field(metadata={"help": "why calls were refused in the last 30 days"})


def traffic(warehouse: Warehouse, sources: list[Source], *, as_of: datetime) -> SourceList:
    """Every source with what came through it."""
    bound = _bound(as_of)
    counts = {row["source"]: row for row in warehouse.rows(_COUNTS, bound)}
    heard = _heard(warehouse, sources, as_of=as_of)
    refused: dict[str, int] = dict(warehouse.query(_REFUSED, {"month": bound["month"]}))
    return SourceList(
        as_of=as_of,
        sources=tuple(
            _row(
                each,
                counts.get(each.source, {}),
                refused=refused.get(each.source, 0),
                heard=heard.get(each.source, (None, None)),
                as_of=as_of,
            )
            for each in sources
        ),
    )


def silent(
    warehouse: Warehouse, known: list[Source], *, as_of: datetime, since: datetime | None = None
) -> dict[str, tuple[datetime | None, float]]:
    """The sources that are silent, with when each was last heard and how many seconds of quiet are its habit.

    Of `since` on somebody listened: quiet before that is no source's fault. Asked at every tick, this
    looks at the last hour alone unless a source was not heard in it.
    """
    heard: dict[str, datetime] = dict(warehouse.query(_JUST_HEARD, {"hour": as_of - timedelta(hours=1)}))
    quiet = [each for each in known if each.ended_at is None and (each.silent_minutes or each.source not in heard)]
    missed = [each for each in quiet if each.source not in heard]
    habits: dict[str, tuple[datetime | None, float | None]] = {name: (last, None) for name, last in heard.items()}
    if missed:
        habits |= _heard(warehouse, missed, as_of=as_of)
    found: dict[str, tuple[datetime | None, float]] = {}
    for each in quiet:
        last, pause = habits.get(each.source, (None, None))
        usual = _usual(each, pause)
        if _is_silent(each, last, usual, as_of=as_of, since=since):
            found[each.source] = (last, usual)
    return found


def one(warehouse: Warehouse, source: Source, *, as_of: datetime, zone: str) -> SourceView:
    """One source in full."""
    (row,) = traffic(warehouse, [source], as_of=as_of).sources
    mine = {"source": source.source, "month": as_of - timedelta(days=DAYS)}
    days = by_day(warehouse.query(_QUARTERS, mine), as_of=as_of, zone=zone)
    refused = by_day(warehouse.query(_REFUSED_QUARTERS, mine), as_of=as_of, zone=zone)
    return SourceView(
        as_of=as_of,
        source=row,
        days=tuple(DayOf(day=day, events=days[day], refused=refused[day]) for day in days),
        events=tuple(EventCount(**each) for each in warehouse.rows(_NAMES, {**mine, "limit": NAMES})),
        undeclared=tuple(Undeclared(**each) for each in warehouse.rows(_UNDECLARED, {**mine, "limit": NAMES})),
        kinds=tuple(KindCount(**each) for each in warehouse.rows(_KINDS, mine)),
        reasons=dict(warehouse.query(_REASONS, mine)),
    )


def by_day(quarters: list[tuple[Any, ...]], *, as_of: datetime, zone: str, days: int = DAYS) -> dict[date, int]:
    """Counts of quarter hours as counts of local days; a day without any is there with none."""
    today = local(as_of, zone).date()
    found = {today - timedelta(days=back): 0 for back in range(days - 1, -1, -1)}
    for at, count in quarters:
        day = local(at, zone).date()
        if day in found:
            found[day] += count
    return found


def _heard(
    warehouse: Warehouse, sources: list[Source], *, as_of: datetime
) -> dict[str, tuple[datetime | None, float | None]]:
    """When each source was last heard, and its longest pause; all events are looked through only for an old silence."""
    since = as_of - timedelta(days=HEARD)
    found = {
        name: (last, pause) for name, last, pause in warehouse.query(_HEARD, {"since": since, "least": LEAST_HOURS})
    }
    lost = [each.source for each in sources if each.source not in found and each.created_at < since]
    if lost:
        found |= {name: (last, None) for name, last in warehouse.query(_LONG_AGO, {"sources": lost})}
    return found


def _bound(as_of: datetime) -> dict[str, datetime]:
    return {"hour": as_of - timedelta(hours=1), "day": as_of - timedelta(days=1), "month": as_of - timedelta(days=DAYS)}


def _usual(source: Source, pause: float | None) -> float:
    """After how many seconds of quiet a source is silent."""
    if source.silent_minutes:
        return source.silent_minutes * 60.0
    return timedelta(days=HEARD).total_seconds() if pause is None else max(3600.0, 2 * pause)


def _is_silent(
    source: Source, last: datetime | None, usual: float, *, as_of: datetime, since: datetime | None = None
) -> bool:
    begin = last or (source.created_at if source.silent_minutes else None)
    if begin is None or source.ended_at is not None:
        return False
    return (as_of - max(begin, since or begin)).total_seconds() > usual


def _row(
    source: Source,
    counts: dict[str, Any],
    *,
    refused: int,
    heard: tuple[datetime | None, float | None],
    as_of: datetime,
) -> SourceRow:
    last, pause = heard
    month = counts.get("month", 0)
    waits = source.previous_until is not None and source.previous_until > as_of
    return SourceRow(
        source=source.source,
        touchpoint=source.touchpoint,
        domain=source.domain,
        priority=source.priority,
        created_at=source.created_at,
        ended_at=source.ended_at,
        previous_until=source.previous_until if waits else None,
        hour=counts.get("hour", 0),
        day=counts.get("day", 0),
        month=month,
        refused=refused,
        refused_share=refused / (month + refused) if month + refused else None,
        last_seen=last,
        usual_pause=pause,
        silent=_is_silent(source, last, _usual(source, pause), as_of=as_of),
        mode=source.mode,
        silent_minutes=source.silent_minutes,
        consent_first=source.consent_first,
    )


_COUNTS = """
select source, count(*) filter (where received_at > $hour) as hour,
       count(*) filter (where received_at > $day) as day, count(*) as month
from events where received_at > $month
group by source
"""
_JUST_HEARD = "select source, max(received_at) from events where received_at > $hour group by source"
_LONG_AGO = """
select source, max(received_at) from events where source in (select unnest($sources::varchar[])) group by source
"""
_REFUSED = """
select source, count(*) from quarantine where received_at > $month and coalesce(outcome, '') <> 'loaded'
group by source
"""
# Pauses between the hours in which a source was heard, in the thirty days before its latest event.
_HEARD = """
with hours as (
    select source, date_trunc('hour', received_at) as hour, max(received_at) as last
    from events where received_at > $since
    group by source, hour
), recent as (
    select source, hour, last from hours
    qualify hour > max(hour) over (partition by source) - interval 30 days
), gaps as (
    select source, last, hour - lag(hour) over (partition by source order by hour) as gap from recent
)
select source, max(last), case when count(*) >= $least then epoch(max(gap))::double end
from gaps group by source
"""
_QUARTERS = """
select time_bucket(interval '15 minutes', received_at) as quarter, count(*)
from events where source = $source and received_at > $month
group by quarter
"""
_REFUSED_QUARTERS = """
select time_bucket(interval '15 minutes', received_at) as quarter, count(*)
from quarantine where source = $source and received_at > $month and coalesce(outcome, '') <> 'loaded'
group by quarter
"""
_NAMES = """
select event, count(*) as events, max(received_at) as last_seen
from events where source = $source and received_at > $month
group by event order by events desc, event limit $limit
"""
_UNDECLARED = """
select event, property, type, sum(seen)::bigint as seen
from undeclared
where event in (select distinct event from events where source = $source and received_at > $month)
group by event, property, type order by seen desc, event, property, type limit $limit
"""
_KINDS = """
select kind, count(distinct known.subject_id) as identifiers
from events seen join identifiers known using (subject_id)
where seen.source = $source and seen.received_at > $month
group by kind order by identifiers desc, kind
"""
_REASONS = """
select reason, count(*) from quarantine
where source = $source and received_at > $month and coalesce(outcome, '') <> 'loaded'
group by reason order by count(*) desc, reason
"""
