"""Timeline: what one person did, newest first, a page at a time and day by day.

Reads   `event_places`, `events`, `moved`

A page begins where the last one ended by (instant, event number), so events that arrive
meanwhile neither repeat nor hide any. Whoever calls has checked that the viewer may look.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from spira.collect import places
from spira.collect.tables import EVENTS
from spira.kernel.clock import local
from spira.kernel.errors import NotFound
from spira.storage import ddl
from spira.storage.warehouse import Warehouse
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
    kinds = None if event is None else [event]
    subjects, after = subjects_of(warehouse, profile_id), _place(before)
    found = places.latest(warehouse, subjects, events=kinds, before=after, limit=limit + 1)
    ids = [number for number, _ in found[:limit]]
    rows = warehouse.rows(_details(warehouse), {"ids": ids}) if ids else []
    more = f"{found[limit - 1][1].isoformat()}~{ids[-1]}" if len(found) > limit else None
    return Timeline(days=_days([_moment(row) for row in rows], zone), next=more)


def _details(warehouse: Warehouse) -> str:
    """The statement for all that is shown of some events; each column left out is one less to be opened per event."""
    shown = [name for name in warehouse.columns("events") if name not in _OWN or name in _SHOWN]
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
