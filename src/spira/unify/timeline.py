"""Timeline: what one person did, newest first, a page at a time and day by day.

Reads   `event_places`, `event_runs`, `events`, `carried`, `moved`

A page begins where the last one ended by (instant, event number), so events that arrive
meanwhile neither repeat nor hide any. What the person said of being written to is read along with the page,
from the same few places. Whoever calls has checked that the viewer may look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from spira.collect import carried, places
from spira.collect.tables import EVENTS
from spira.kernel.clock import local
from spira.kernel.errors import NotFound
from spira.storage import ddl
from spira.storage.warehouse import Warehouse
from spira.unify.consent import GIVEN, WITHDRAWN
from spira.unify.dossier import Dossier
from spira.unify.portrait import Day, Moment, Timeline
from spira.unify.subjects import subjects_of

PAGE = 20
MONEY = ("revenue", "amount", "total", "value")
TELLING = (
    "link_url",
    "reason",
    "title",
    "campaign",
    "template",
    "coupon",
    "coupon_id",
    "order_id",
    "channel",
    "store_id",
)
_SHOWN = ("event_id", "event", "ts", "source", "touchpoint", "campaign")
_OWN = frozenset(column.name for column in EVENTS.columns)


class Word(NamedTuple):
    """What a person said of one purpose and channel, by one event."""

    purpose: str | None
    channel: str | None
    ts: datetime
    granted: bool


def timeline(
    warehouse: Warehouse,
    profile_id: int,
    *,
    zone: str = "UTC",
    before: str | None = None,
    event: str | None = None,
    limit: int = PAGE,
) -> Timeline:
    """A page of the person's events, or of one kind of them; `before` is the `next` of the page before."""
    subjects = subjects_of(warehouse, profile_id)
    return _read(warehouse, subjects, None, zone=zone, before=before, event=event, limit=limit)[0]


def read(
    warehouse: Warehouse, held: Dossier, *, zone: str = "UTC", before: str | None = None, event: str | None = None
) -> tuple[Timeline, list[Word]]:
    """The same for one of whom the rest was read, with all that the person ever said of being written to."""
    return _read(warehouse, held.subjects, held.upto, zone=zone, before=before, event=event, limit=PAGE)


def _read(
    warehouse: Warehouse,
    subjects: Sequence[int],
    upto: int | None,
    *,
    zone: str,
    before: str | None,
    event: str | None,
    limit: int,
) -> tuple[Timeline, list[Word]]:
    kinds = None if event is None else [event]
    found, words, names = places.newest(
        warehouse, subjects, upto=upto, events=kinds, before=_place(before), limit=limit + 1, besides=(GIVEN, WITHDRAWN)
    )
    ids = [number for number, _ in found[:limit]]
    asked = {*ids, *words}
    rows = warehouse.rows(_details(warehouse, names), {"ids": sorted(asked)}) if asked else []
    more = f"{found[limit - 1][1].isoformat()}~{ids[-1]}" if len(found) > limit else None
    days = _days([_moment(row) for row in rows if row["event_id"] in set(ids)], zone)
    return Timeline(days=days, next=more), [_word(row) for row in rows if row["event_id"] in words]


def _word(row: Mapping[str, Any]) -> Word:
    return Word(row.get("purpose"), row.get("channel"), row["ts"], row["event"] == GIVEN)


def _details(warehouse: Warehouse, events: Collection[str]) -> str:
    """The statement for all that is shown of some events; each column left out is one less to be opened per event."""
    told = carried.of(warehouse, events)
    shown = [
        name
        for name in warehouse.columns("events")
        if name in _SHOWN or (name not in _OWN and (told is None or name in told))
    ]
    return f"select {', '.join(map(ddl.quote, shown))} {_DETAILS}"


def _place(before: str | None) -> places.Place | None:
    if before is None:
        return None
    ts, _, event_id = before.partition("~")
    try:
        return int(event_id), datetime.fromisoformat(ts)
    except ValueError:
        raise NotFound("there is no such page of the timeline", help="begin at the first page") from None


def _days(moments: list[Moment], zone: str) -> tuple[Day, ...]:
    by_day = groupby(moments, key=lambda moment: local(moment.ts, zone).date())
    return tuple(Day(day=day, moments=tuple(of_day)) for day, of_day in by_day)


def _moment(row: dict[str, Any]) -> Moment:
    details = {name: value for name, value in row.items() if value is not None and name not in _OWN}
    known = {**details, "campaign": row["campaign"]} if row["campaign"] is not None else details
    amount = next((known[name] for name in MONEY if name in known), None)
    return Moment(
        event_id=row["event_id"],
        event=row["event"],
        ts=row["ts"],
        source=row["source"],
        touchpoint=row["touchpoint"],
        text=next((str(known[name]) for name in TELLING if name in known), ""),
        amount=None if amount is None else float(amount),
        details=details,
    )


_DETAILS = """
from events where event_id in (select unnest($ids::bigint[])) order by ts desc, event_id desc
"""
