"""Timeline: what one person did and what became of them, newest first, a page at a time and day by day.

Reads   `event_places`, `event_runs`, `events`, `carried`, `moved`; the rest by `unify/moments.py`

A page begins where the last one ended by (instant, kind, number), so what arrives meanwhile neither repeats nor
hides any. Of each kind as many are read as fill a page, and the page is the first of all of them. What the person said
of being written to is read along with the page, from the same few places. Whoever calls has checked that the viewer
may look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from spira.collect import carried, places
from spira.collect.tables import EVENTS
from spira.kernel.clock import local
from spira.storage import ddl
from spira.storage.warehouse import Warehouse
from spira.unify import moments
from spira.unify.consent import GIVEN, WITHDRAWN
from spira.unify.dossier import MESSAGES, Dossier, Profile
from spira.unify.moments import EVERYTHING, KIND_OF, Place, Wanted
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


class Lived(NamedTuple):
    """What a page of one person shows and no dossier holds."""

    moments: list[Moment]  # their latest events, joins and memberships, in no order
    words: list[Word]  # all that the person ever said of being written to


def timeline(
    warehouse: Warehouse,
    profile_id: int,
    *,
    zone: str = "UTC",
    wanted: Wanted = EVERYTHING,
    more: Sequence[Moment] = (),
    limit: int = PAGE,
) -> Timeline:
    """A page of what happened to a person; `more` are moments that the state knows of, chosen as `wanted` says."""
    subjects = subjects_of(warehouse, profile_id)
    found, _ = _events(warehouse, subjects, None, wanted, limit=limit)
    rest = moments.others(warehouse, profile_id, subjects, wanted, limit=limit + 1)
    return _page([*found, *rest, *more], zone, limit)


def lived(warehouse: Warehouse, profile: Profile, *, wanted: Wanted = EVERYTHING, limit: int = PAGE) -> Lived:
    """What `read` puts beside a dossier. It needs none, so that another lane reads it meanwhile."""
    found, words = _events(warehouse, profile.subjects, profile.upto, wanted, limit=limit)
    kinds = [kind for kind in moments.OTHERS if kind not in moments.READ_WITH_ALL]
    rest = moments.others(warehouse, profile.profile_id, profile.subjects, wanted, limit=limit + 1, kinds=kinds)
    return Lived([*found, *rest], words)


def read(
    warehouse: Warehouse,
    held: Dossier,
    told: Lived,
    *,
    zone: str = "UTC",
    wanted: Wanted = EVERYTHING,
    more: Sequence[Moment] = (),
    limit: int = PAGE,
) -> Timeline:
    """The same for one of whom the rest was read; `told` was wanted as this is."""
    messages = held.deliveries if len(held.deliveries) < MESSAGES else None
    rest = moments.others(
        warehouse, held.profile_id, held.subjects, wanted, limit=limit + 1, kinds=moments.READ_WITH_ALL,
        messages=messages, walks=held.walks,
    )  # fmt: skip
    return _page([*told.moments, *rest, *more], zone, limit)


def _events(
    warehouse: Warehouse, subjects: Sequence[int], upto: int | None, wanted: Wanted, *, limit: int
) -> tuple[list[Moment], list[Word]]:
    """The events of a page and one more, and the words of consent, which are read along."""
    names, but = wanted.names
    found, words, kinds = places.newest(
        warehouse,
        subjects,
        upto=upto,
        events=names,
        but=but,
        before=_before(wanted.before),
        since=wanted.since,
        until=wanted.until,
        # Where an event came from is known only of the event itself, so that all are looked at.
        limit=None if wanted.source else limit + 1,
        besides=(GIVEN, WITHDRAWN),
    )
    ids = [number for number, _ in found]
    asked = {*ids, *words}
    told = {"ids": sorted(asked), "source": wanted.source, "words": sorted(words), "limit": limit + 1 + len(words)}
    rows = warehouse.rows(_details(warehouse, kinds), told) if asked else []
    shown = set(ids)
    listed = [
        _moment(row)
        for row in rows
        if row["event_id"] in shown and (wanted.source is None or row["source"] == wanted.source)
    ]
    return listed, [_word(row) for row in rows if row["event_id"] in words]


def _page(found: list[Moment], zone: str, limit: int) -> Timeline:
    found.sort(key=moments.order, reverse=True)
    page = found[:limit]
    return Timeline(days=_days(page, zone), next=str(moments.place_of(page[-1])) if len(found) > limit else None)


def _before(place: Place | None) -> places.Place | None:
    """Where among the events a page begins: events come before all else of the same instant."""
    return None if place is None else (place.number if place.rank == 0 else 0, place.ts)


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


def _days(page: list[Moment], zone: str) -> tuple[Day, ...]:
    by_day = groupby(page, key=lambda moment: local(moment.ts, zone).date())
    return tuple(Day(day=day, moments=tuple(of_day)) for day, of_day in by_day)


def _moment(row: dict[str, Any]) -> Moment:
    details = {name: value for name, value in row.items() if value is not None and name not in _OWN}
    known = {**details, "campaign": row["campaign"]} if row["campaign"] is not None else details
    amount = next((known[name] for name in MONEY if name in known), None)
    return Moment(
        kind=KIND_OF.get(row["event"], "event"),
        number=row["event_id"],
        what=row["event"],
        name=None,
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
from events
where event_id in (select unnest($ids::bigint[]))
  and ($source::varchar is null or source = $source or list_contains($words::bigint[], event_id))
order by ts desc, event_id desc
limit $limit
"""
