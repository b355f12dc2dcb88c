"""Health: what an operator has to know of a source: is it heard, is it late, what is refused, what has changed.

Reads   `events`, `tallies`, `quarantine`, `undeclared`, `personal`, `refusals` (state)

A property changed its type when calls lie in quarantine because its values are of another JSON type
than is declared; the first of them says since when. One that nobody declared changed when it comes as
another JSON type than on the day it was first seen, and nothing of it is in quarantine. A source is
alarming when it is silent, when its key is wrong, or when a property changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spira.collect.refusals import Refusal, refused
from spira.collect.sources import Source
from spira.storage.state import State
from spira.storage.warehouse import Warehouse

HOURS = 48
DAYS = 30
MOST = 50
STILL = 7  # days after which an undeclared property that comes as it used to is no news any more
LEAST_BEFORE = 20  # values of an undeclared property that make a habit


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChange:
    """A property that comes as another type than is declared, or than it came as before where nobody declared it."""

    source: str = field(metadata={"help": "who sends it"})
    event: str = field(metadata={"help": "of which event"})
    property: str = field(metadata={"help": "which property, or field of a line"})
    declared: str = field(metadata={"help": "what is declared; the JSON type of before where nothing is"})
    came: str = field(metadata={"help": "the JSON type that came"})
    calls: int = field(metadata={"help": "how many calls lie in quarantine for it, or are kept where it is undeclared"})
    since: datetime = field(metadata={"help": "when the first of them was received; the day, where it is undeclared"})
    last: datetime = field(metadata={"help": "when the latest was"})
    undeclared: bool = field(default=False, metadata={"help": "whether nobody declared it, and its calls are kept"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalFound:
    """Where something personal was recognised and taken out."""

    event: str = field(metadata={"help": "the event"})
    property: str = field(metadata={"help": "the property or trait"})
    kind: str = field(metadata={"help": "phone, email, id_card, bank_card, ip, or named: its name says it"})
    seen: int = field(metadata={"help": "how often in these days"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOf:
    """One hour of a source."""

    at: datetime = field(metadata={"help": "when the hour began"})
    events: int = field(metadata={"help": "events received in it"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source is."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    source: str = field(metadata={"help": "the source"})
    mode: str | None = field(metadata={"help": "observe, quarantine or block; none is what the tracking plan says"})
    silent_minutes: int | None = field(metadata={"help": "after how many minutes without an event it alarms"})
    per_minute: float = field(metadata={"help": "events a minute in the last hour"})
    usual_per_minute: float = field(metadata={"help": "events a minute in the last 7 days"})
    hours: tuple[HourOf, ...] = field(metadata={"help": "the last 48 hours, oldest first"})
    late: float | None = field(metadata={"help": "seconds from an event to its receipt, the median of 24 hours"})
    late_most: float | None = field(metadata={"help": "the same, 95 in 100 are no later"})
    loading: float | None = field(metadata={"help": "seconds from receipt to being findable, the mean of 24 hours"})
    loading_most: float | None = field(metadata={"help": "the same, the slowest"})
    duplicates: int = field(metadata={"help": "calls of 24 hours whose message id was taken already"})
    duplicate_share: float | None = field(metadata={"help": "their share of the calls that could be loaded"})
    turned_away: tuple[Refusal, ...] = field(metadata={"help": "what was refused at the door in 24 hours"})
    changed: tuple[TypeChange, ...] = field(metadata={"help": "properties that come as another type"})
    personal: tuple[PersonalFound, ...] = field(metadata={"help": "what personal things were taken out, in 30 days"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorView:
    """What is refused at the door, and what changed its type, over all sources."""

    as_of: datetime = field(metadata={"help": "the instant this speaks of"})
    turned_away: tuple[Refusal, ...] = field(metadata={"help": "what was refused in the last 24 hours"})
    changed: tuple[TypeChange, ...] = field(metadata={"help": "properties that come as another type"})


def health(warehouse: Warehouse, state: State, source: Source, *, as_of: datetime) -> SourceHealth:
    """How one source is."""
    mine = {"source": source.source}
    day = {**mine, "since": as_of - timedelta(days=1)}
    late, late_most = warehouse.one(_LATE, day) or (None, None)
    loaded, duplicates, delay, slowest = warehouse.one(_TALLIED, day) or (0, 0, 0.0, None)
    latest = {"hours": as_of - timedelta(hours=HOURS), "hour": as_of - timedelta(hours=1)}
    heard = warehouse.query(_HOURS, {**mine, **latest, "week": as_of - timedelta(days=7)})
    counts: dict[datetime, int] = {at: of_hours for at, _, of_hours, _ in heard}
    week, hour = sum(events for _, events, _, _ in heard), sum(last for *_, last in heard)
    start = as_of.replace(minute=0, second=0, microsecond=0)
    hours = [start - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    return SourceHealth(
        as_of=as_of,
        source=source.source,
        mode=source.mode,
        silent_minutes=source.silent_minutes,
        per_minute=hour / 60,
        usual_per_minute=week / (7 * 24 * 60),
        hours=tuple(HourOf(at=at, events=counts.get(at, 0)) for at in hours),
        late=late,
        late_most=late_most,
        loading=delay / loaded if loaded else None,
        loading_most=slowest if loaded else None,
        duplicates=duplicates or 0,
        duplicate_share=duplicates / (loaded + duplicates) if loaded else None,
        turned_away=refused(state, since=as_of - timedelta(days=1), source=source.source, limit=MOST),
        changed=changed(warehouse, as_of=as_of, source=source.source),
        personal=tuple(
            PersonalFound(**row)
            for row in warehouse.rows(
                _PERSONAL, {**mine, "since": (as_of - timedelta(days=DAYS)).date(), "limit": MOST}
            )
        ),
    )


def door(warehouse: Warehouse, state: State, *, as_of: datetime) -> DoorView:
    """What is refused at the door, and what changed, whoever sends it."""
    return DoorView(
        as_of=as_of,
        turned_away=refused(state, since=as_of - timedelta(days=1), limit=MOST),
        changed=changed(warehouse, as_of=as_of),
    )


def changed(warehouse: Warehouse, *, as_of: datetime, source: str | None = None) -> tuple[TypeChange, ...]:
    """Properties whose values are of another type than declared, most calls first; then the undeclared ones."""
    bound: dict[str, Any] = {"source": source, "since": as_of - timedelta(days=DAYS), "limit": MOST}
    days = {"since": bound["since"].date(), "recent": (as_of - timedelta(days=STILL)).date(), "least": LEAST_BEFORE}
    found = [TypeChange(**row) for row in warehouse.rows(_CHANGED, bound)]
    found += (TypeChange(**row, undeclared=True) for row in warehouse.rows(_CAME_OTHERWISE, bound | days))
    return tuple(found[:MOST])


_HOURS = """
select date_trunc('hour', received_at), count(*), count(*) filter (where received_at > $hours),
       count(*) filter (where received_at > $hour)
from events where source = $source and received_at > $week
group by 1
"""
_LATE = """
select quantile_cont(late, 0.5), quantile_cont(late, 0.95)
from (select greatest(0, epoch(received_at) - epoch(ts)) as late from events
      where source = $source and received_at > $since)
"""
_TALLIED = """
select coalesce(sum(loaded), 0)::bigint, coalesce(sum(duplicates), 0)::bigint, coalesce(sum(delay), 0), max(slowest)
from tallies where source = $source and hour > $since
"""
_PERSONAL = """
select event, property, kind, sum(seen)::bigint as seen from personal
where source = $source and day > $since
group by event, property, kind order by seen desc, event, property, kind limit $limit
"""
# The words are those of `typed.read`: "`revenue` is not an amount of money (a JSON number): a JSON text was found".
_CHANGED = """
select source, event, regexp_replace(regexp_extract(detail, '^`([^`]+)`', 1), '\\[\\d+\\]', '[]', 'g') as property,
       regexp_extract(detail, ' is not (.*): a JSON \\w+ was found$', 1) as declared,
       regexp_extract(detail, ': a JSON (\\w+) was found$', 1) as came,
       count(*) as calls, min(received_at) as since, max(received_at) as last
from quarantine
where reason = 'wrong_type' and event is not null and (outcome is null or outcome = 'refused')
  and received_at > $since and ($source::varchar is null or source = $source)
  and regexp_matches(detail, ': a JSON \\w+ was found$')
group by all
order by calls desc, source, event, property
limit $limit
"""
# What is undeclared is counted by day and type. Whole numbers are numbers, and days and instants are texts.
_CAME_OTHERWISE = """
with told as (
    select source, event, property, day, seen,
           case when type = 'integer' then 'number' when type in ('date', 'time') then 'text' else type end as came
    from undeclared
    where day > $since and property <> '' and type not in ('null', 'event')
      and ($source::varchar is null or source = $source)
), kinds as (
    select source, event, property, came, sum(seen)::bigint as calls, min(day) as first, max(day) as last
    from told group by source, event, property, came
), habits as (
    select source, event, property, came as declared, calls as before, first as begun from kinds
    qualify row_number() over (partition by source, event, property order by first, calls desc, came) = 1
)
select source, event, property, declared, came, calls, first::timestamp as since, last::timestamp as last
from kinds join habits using (source, event, property)
where came <> declared and first > begun and last > $recent and before >= $least
order by calls desc, source, event, property
limit $limit
"""
