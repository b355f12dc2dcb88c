"""Places: where in `events` a person's events lie, so that one person's page need not look through everybody's.

Reads   `events`
Writes  `event_places`   what each subject did, and when, in the order of the subjects
        `event_runs`     up to which event each run of them reaches
        `event_merges`   parts of runs that are still to be put together

`events` lies in the order of arrival, and a person's events all over it. Once so many have come as make
a run, the run is sorted by subject and added; what came since is looked for in `events` itself, which
is little then. Of as many runs as make a longer one a longer one is made, so that there are few to look into:
subject by subject in parts, one each time, for nothing may hold a turn for long. Every part is one transaction:
killed half-way, it is made again. Erasing removes a subject's rows from both tables; nothing else ever changes a
place, since a subject's events stay its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from spira.collect.tables import STAGE
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

# How many events make a run, and runs of which lengths are made of those: each a multiple of the one before. What
# waits is looked through in a millisecond or two; a hundred million make some twenty runs, of each of which one row
# group is looked at. A part has as many events as the second, which takes a second or two to sort.
RUNS = (262_144, 2_097_152, 16_777_216)
SAMPLE = 131_072  # events that are looked at to find bounds between parts

EVENT_PLACES = table(
    Table(
        name="event_places",
        store="warehouse",
        stage=STAGE,
        person="subject_id",
        holds="which events are whose",
        columns=columns(
            """
            subject_id BIGINT required
            event_id BIGINT required
            ts TIMESTAMP required
            event VARCHAR required
            """
        ),
    )
)
EVENT_RUNS = table(
    Table(name="event_runs", store="warehouse", stage=STAGE, columns=columns("last_event BIGINT required"))
)
EVENT_MERGES = table(
    Table(
        name="event_merges",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            after_event BIGINT required
            last_event BIGINT required
            from_subject BIGINT required
            before_subject BIGINT
            """
        ),
    )
)

Place = tuple[int, datetime]


def keep(warehouse: Warehouse, *, runs: Sequence[int] = RUNS) -> int:
    """Make every run that is full, and one part of a longer one that is due; how many of both were made."""
    upto, last = _upto(warehouse), int(warehouse.value(_LAST) or 0)
    made = 0
    while last - upto >= runs[0]:
        length = runs[1] if upto % runs[1] == 0 and last - upto >= runs[1] else runs[0]
        with warehouse.transaction():
            warehouse.execute(_RUN, {"after": upto, "last": upto + length})
            warehouse.execute(_REACHES, {"last": upto + length})
        upto, made = upto + length, made + 1
    return made + _merge(warehouse, runs)


def _merge(warehouse: Warehouse, runs: Sequence[int]) -> int:
    """Make one part of a longer run, the longest first, if one is due; how many were made."""
    part = warehouse.one(_PART)
    due = None if part else _due([last for (last,) in warehouse.query(_RUNS)], runs[1:])
    if due:
        parts = due // runs[1]
        shares = [each / parts for each in range(1, parts)]
        warehouse.execute(_DUE.format(shares=shares), {"length": due, "each": max(1, due // SAMPLE)})
        part = warehouse.one(_PART)
    if part is None:
        return 0
    own = dict(zip(("after", "last", "from", "before"), part, strict=True))
    with warehouse.transaction():
        warehouse.execute(_TAKEN_OUT, own)
        warehouse.execute(_PUT_IN, own)
        warehouse.execute(_PART_MADE, {"last": own["last"], "from": own["from"]})
        warehouse.execute(_WHOLE, {"after": own["after"], "last": own["last"]})
    return 1


def _due(reached: Sequence[int], lengths: Sequence[int]) -> int | None:
    """The greatest length of which a stretch is full and lies in more than one run, if any is; `reached` by each run.

    A turn without news asks this, and works nothing out.
    """
    for length in sorted(lengths, reverse=True):
        stretches = Counter((last - 1) // length for last in reached)
        if any(stretches[(last - 1) // length] > 1 for last in reached if last % length == 0):
            return length
    return None


def latest(
    warehouse: Warehouse,
    subjects: Sequence[int],
    *,
    events: Sequence[str] | None = None,
    before: Place | None = None,
    limit: int | None = None,
) -> list[Place]:
    """The events of some subjects, each as its number and instant, newest first.

    `events` are the kinds wanted, all without; `before` leaves those older than another; `limit` bounds them.
    """
    event_id, ts = before or (None, None)
    asked: dict[str, Any] = {
        "subjects": list(subjects),
        "upto": _upto(warehouse),
        "events": None if events is None else list(events),
        "ts": ts,
        "event_id": event_id,
        "limit": limit,
    }
    return [(number, at) for number, at in warehouse.query(_LATEST, asked)]


def newest(
    warehouse: Warehouse,
    subjects: Sequence[int],
    *,
    upto: int | None = None,
    events: Sequence[str] | None = None,
    before: Place | None = None,
    limit: int | None,
    besides: Sequence[str],
    but: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[Place], set[int], set[str]]:
    """What `latest` answers, and beside it the numbers of all the subjects' events of the kinds `besides`.

    The third is of which kinds all of these are. Everything is found in one walk. `upto` is the last event that lies
    in a run, for one who has read it. Left out are events of the kinds `but`, those before `since`, and from `until`.
    """
    event_id, ts = before or (None, None)
    asked: dict[str, Any] = {
        "subjects": list(subjects),
        "upto": _upto(warehouse) if upto is None else upto,
        "limit": limit,
        "besides": list(besides),
    }
    narrowed: list[str] = []
    for named, condition in (
        ({"events": None if events is None else list(events)}, "list_contains($events::varchar[], event)"),
        ({"but": list(but) or None}, "not list_contains($but::varchar[], event)"),
        ({"since": since}, "ts >= $since"),
        ({"until": until}, "ts < $until"),
        ({"ts": ts, "event_id": event_id}, "(ts < $ts or (ts = $ts and event_id < $event_id))"),
    ):  # what is not asked for need not be planned
        if None not in named.values():
            asked |= named
            narrowed.append(condition)
    where = f"where {' and '.join(narrowed)}" if narrowed else ""
    found = warehouse.query(_NEWEST.format(where=where), asked)
    page = [(number, at) for number, at, _, is_listed in found if is_listed]
    others = {number for number, _, _, is_listed in found if not is_listed}
    return page, others, {event for _, _, event, _ in found}


def last(warehouse: Warehouse, subjects: Sequence[int], event: str) -> dict[int, datetime]:
    """When each of some subjects last did one thing; those who never did are left out."""
    asked = {"subjects": list(subjects), "upto": _upto(warehouse), "event": event}
    return dict(warehouse.query(_LAST_TIMES, asked)) if subjects else {}


def _upto(warehouse: Warehouse) -> int:
    return int(warehouse.value(_UPTO) or 0)


_LAST = "select max(last_event) from loaded"
_UPTO = "select max(last_event) from event_runs"
_RUN = """
insert into event_places by name
select subject_id, event_id, ts, event from events
where event_id > $after and event_id <= $last
order by subject_id, event_id
"""
_REACHES = "insert into event_runs (last_event) values ($last)"
_RUNS = "select last_event from event_runs"
_PART = """
select after_event, last_event, from_subject, before_subject from event_merges order by from_subject limit 1
"""
# The stretches of a length that lie in more than one run, in parts of about as many events each: bounds by a sample.
_DUE = """
insert into event_merges by name
with stretches as (
    select (last_event - 1) // $length * $length as after_event, count(*) as runs, max(last_event) as until_event
    from event_runs group by 1
), due as (
    from stretches where runs > 1 and until_event = after_event + $length
), parts as (
    select distinct after_event, until_event as last_event, unnest([0] || coalesce(bounds, [])) as from_subject
    from due, lateral (
        select quantile_disc(subject_id, {shares}) as bounds from event_places
        where event_id > after_event and event_id <= until_event and event_id % $each = 0)
)
select *, lead(from_subject) over (partition by last_event order by from_subject) as before_subject from parts
"""
_MINE = """
event_id > $after and event_id <= $last and subject_id >= $from and ($before::bigint is null or subject_id < $before)
"""
_TAKEN_OUT = f"delete from event_places where {_MINE}"
_PUT_IN = f"""
insert into event_places by name
select subject_id, event_id, ts, event from events
where {_MINE}
order by subject_id, event_id
"""
_PART_MADE = "delete from event_merges where last_event = $last and from_subject = $from"
_WHOLE = """
delete from event_runs
where last_event > $after and last_event < $last and not exists (from event_merges where last_event = $last)
"""
_LAST_TIMES = """
select subject_id, max(ts)
from (select subject_id, ts from event_places
      where event = $event and subject_id in (select unnest($subjects::bigint[]))
      union all
      select subject_id, ts from events
      where event_id > $upto and event = $event and subject_id in (select unnest($subjects::bigint[])))
group by subject_id
"""
_OWN = """
(select event_id, ts, event from event_places where subject_id in (select unnest($subjects::bigint[]))
 union all
 select event_id, ts, event from events
 where event_id > $upto and subject_id in (select unnest($subjects::bigint[])))
"""
_WANTED = """
where ($events::varchar[] is null or list_contains($events, event))
  and ($ts::timestamp is null or ts < $ts or (ts = $ts and event_id < $event_id))
order by ts desc, event_id desc
limit $limit
"""
_LATEST = f"select event_id, ts from {_OWN} {_WANTED}"
_NEWEST = f"""
with own as materialized {_OWN}
select event_id, ts, event, true as is_listed
from (select event_id, ts, event from own {{where}} order by ts desc, event_id desc limit $limit)
union all
select event_id, ts, event, false from own where list_contains($besides::varchar[], event)
order by is_listed desc, ts desc, event_id desc
"""
