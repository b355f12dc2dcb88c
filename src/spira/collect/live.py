"""Live: the events that were accepted last, as they may be looked at.

Reads   `profile_events`, `loaded`

Event numbers follow the log, so what is newer than a number is exactly what was loaded after it.
A look tells the newest fifty of that, and nothing twice. Contact values are taken out of
whatever is shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.collect.shown import without_contacts
from spira.collect.tables import EVENTS
from spira.storage.warehouse import Warehouse

LIST = 50
_FIRST = 5_000  # of the newest events, that are looked at before any others
OFFERED = 50_000  # of the newest events, in which is looked for what to choose by
_OWN = frozenset(column.name for column in EVENTS.columns)
_CAMPAIGN = ("campaign", "campaign_source", "campaign_medium", "campaign_term", "campaign_content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are looked at; None is all of them."""

    source: str | None = None
    event: str | None = None
    touchpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """One accepted event."""

    event_id: int = field(metadata={"help": "the event's number; newer ones have greater numbers"})
    profile_id: int = field(metadata={"help": "whose it is"})
    event: str = field(metadata={"help": "what happened"})
    type: str = field(metadata={"help": "the kind of call that told it"})
    ts: datetime = field(metadata={"help": "when it happened"})
    received_at: datetime = field(metadata={"help": "when it was received"})
    source: str = field(metadata={"help": "the source that told it"})
    touchpoint: str | None = field(metadata={"help": "where brand and person met"})
    properties: dict[str, Any] = field(metadata={"help": "its declared properties"})
    undeclared: dict[str, Any] = field(metadata={"help": "what it holds that no tracking plan declares"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest events, newest first. `after` is where the next look begins."""

    events: tuple[LiveEvent, ...] = field(metadata={"help": "the events, newest first"})
    after: int = field(metadata={"help": "the number of the newest event there is, of whatever kind"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the newest events can be chosen by."""

    sources: tuple[str, ...] = field(metadata={"help": "the sources"})
    events: tuple[str, ...] = field(metadata={"help": "the events, most frequent first"})
    touchpoints: tuple[str, ...] = field(metadata={"help": "the touchpoints"})


def latest(warehouse: Warehouse, wanted: Wanted, *, after: int = 0, limit: int = LIST) -> Latest:
    """The newest events that are wanted and have a greater number than `after`."""
    newest = int(warehouse.value(_NEWEST) or 0)
    if newest <= after:
        return Latest(events=(), after=max(newest, after))
    ids = _newest(warehouse, wanted, after, newest, limit)
    rows = warehouse.rows(_EVENTS, {"ids": ids, "least": min(ids)}) if ids else []
    return Latest(events=tuple(_event(row) for row in rows), after=newest)


def choices(warehouse: Warehouse, *, among: int = OFFERED) -> Choices:
    """What there is to choose by among the newest events."""
    newest = int(warehouse.value(_NEWEST) or 0)
    found = warehouse.query(_CHOICES, {"after": newest - among})
    counts: list[dict[str, int]] = [{}, {}, {}]
    for *names, count in found:
        for place, name in enumerate(names):
            if name is not None:
                counts[place][name] = counts[place].get(name, 0) + count
    events = sorted(counts[1], key=lambda name: (-counts[1][name], name))
    return Choices(sources=tuple(sorted(counts[0])), events=tuple(events), touchpoints=tuple(sorted(counts[2])))


def _newest(warehouse: Warehouse, wanted: Wanted, after: int, newest: int, limit: int) -> list[int]:
    """The numbers of the newest events that are wanted. Most often few have to be looked at, so few are at first."""
    bound = {"newest": newest, "limit": limit, "source": wanted.source, "event": wanted.event,
             "touchpoint": wanted.touchpoint}  # fmt: skip
    among = _FIRST
    while True:
        least = max(after, newest - among)
        ids = [number for (number,) in warehouse.query(_IDS, {**bound, "after": least})]
        if len(ids) == limit or least == after:
            return ids
        among *= 100


def _event(row: dict[str, Any]) -> LiveEvent:
    values = {name: value for name, value in row.items() if value is not None and name not in _OWN}
    values |= {name: row[name] for name in _CAMPAIGN if row[name] is not None}
    return LiveEvent(
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        event=row["event"],
        type=row["type"],
        ts=row["ts"],
        received_at=row["received_at"],
        source=row["source"],
        touchpoint=row["touchpoint"],
        properties=_declared(values),
        undeclared=without_contacts(json.loads(row["properties"])) if row["properties"] else {},
    )


def _declared(values: dict[str, Any]) -> dict[str, Any]:
    """Typed values stay as they are; texts go through the mask."""
    texts = without_contacts({name: value for name, value in values.items() if isinstance(value, str)})
    return {name: texts.get(name, value) for name, value in values.items()}


_NEWEST = "select max(last_event) from loaded"
_IDS = """
select event_id from events
where event_id > $after and event_id <= $newest
  and ($source::varchar is null or source = $source)
  and ($event::varchar is null or event = $event)
  and ($touchpoint::varchar is null or touchpoint = $touchpoint)
order by event_id desc
limit $limit
"""
_EVENTS = """
select * from profile_events
where event_id >= $least and event_id in (select unnest($ids::bigint[]))
order by event_id desc
"""
_CHOICES = """
select source, event, touchpoint, count(*) from events where event_id > $after group by all
"""
