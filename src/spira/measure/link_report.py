"""What came of short links: visits, the people they turned out to be, and the orders that followed.

Reads   `profile_events`   `Link Opened`, `Link Previewed`, `Order Completed`
        `profiles`         who of the visitors is a person that is known
        `traits`           whom a link led here first and last

A visit counts whoever made it. People are those of its visitors who landed on a page that told so;
an order follows a visit when the same person made it afterwards, within thirty days.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from spira.kernel.clock import local, midnight
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.portrait import says

FOLLOWS_DAYS = 30
DAYS = 30
SHOWN = 20
ORDER = "Order Completed"
Which = Literal["first", "last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounts:
    """What came of one link."""

    visits: int = says("how often it was opened by a person")
    previews: int = says("how often a machine looked at it; that is no visit")
    people: int = says("how many known people its visitors turned out to be")
    orders: int = says("orders of these people within 30 days after a visit")
    last_at: datetime | None = says("the latest visit")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitDay:
    """One local day of a link."""

    day: date = says("the day in the workspace's zone")
    visits: int = says("how often it was opened on it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """Whom a link led here."""

    first: int = says("people whose first touch it was")
    last: int = says("people whose latest touch it is")


NOTHING = LinkCounts(visits=0, previews=0, people=0, orders=0, last_at=None)


def counts(warehouse: Warehouse, code: str | None = None) -> Mapping[str, LinkCounts]:
    """What came of each link, or of one; a link that nobody opened is not among them."""
    if not _known(warehouse):
        return {}
    bound = {"code": code, "order": ORDER, "days": FOLLOWS_DAYS}
    return {row.pop("link"): LinkCounts(**row) for row in warehouse.rows(_COUNTS, bound)}


def days(warehouse: Warehouse, code: str, *, as_of: datetime, zone: str) -> tuple[VisitDay, ...]:
    """The visits of a link on each of the last days, oldest first; a day without one is 0."""
    today = local(as_of, zone).date()
    wanted = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = midnight(wanted[0], zone)
    found: dict[date, int] = {}
    if _known(warehouse):
        for (at,) in warehouse.query(_VISITS, {"code": code, "since": since}):
            day = local(at, zone).date()
            found[day] = found.get(day, 0) + 1
    return tuple(VisitDay(day=each, visits=found.get(each, 0)) for each in wanted)


def led(warehouse: Warehouse, viewer: Viewer, code: str) -> Led:
    """How many of the viewer's people a link led here, first and last."""
    people.require(viewer)
    row = warehouse.one(_LED, {**bound_units(viewer), "code": code}) or (0, 0)
    return Led(first=int(row[0]), last=int(row[1]))


def led_here(warehouse: Warehouse, viewer: Viewer, code: str, which: Which) -> list[int]:
    """The latest of the viewer's people whom a link led here first, or last."""
    people.require(viewer)
    asked = {**bound_units(viewer), "code": code, "name": f"{which}_touch_link", "limit": SHOWN}
    return [profile for (profile,) in warehouse.query(_PEOPLE, asked)]


def _known(warehouse: Warehouse) -> bool:
    return "link" in warehouse.columns("profile_events")


_COUNTS = """
with seen as (
    select link, event, event_id, ts, profile_id from profile_events
    where event in ('Link Opened', 'Link Previewed') and link is not null and ($code::varchar is null or link = $code)
), known as (
    select seen.link, seen.profile_id, seen.ts from seen semi join profiles using (profile_id)
    where seen.event = 'Link Opened'
), followed as (
    select known.link, count(distinct bought.event_id) as orders
    from known join profile_events bought on bought.profile_id = known.profile_id and bought.event = $order
         and bought.ts > known.ts and bought.ts <= known.ts + to_days($days::integer)
    group by known.link
), persons as (
    select link, count(distinct profile_id) as people from known group by link
)
select seen.link, count(*) filter (where event = 'Link Opened') as visits,
       count(*) filter (where event = 'Link Previewed') as previews,
       coalesce(any_value(persons.people), 0) as people, coalesce(any_value(followed.orders), 0) as orders,
       max(seen.ts) filter (where event = 'Link Opened') as last_at
from seen left join persons using (link) left join followed using (link)
group by seen.link
"""
_VISITS = """
select ts from profile_events where event = 'Link Opened' and link = $code and ts >= $since
"""
_LED = """
select count(*) filter (where name = 'first_touch_link'), count(*) filter (where name = 'last_touch_link')
from traits join profiles using (profile_id)
where name in ('first_touch_link', 'last_touch_link') and value = $code
  and ($units::bigint[] is null or list_contains($units, profiles.unit_id))
"""
_PEOPLE = """
select traits.profile_id from traits join profiles using (profile_id)
where name = $name and value = $code and ($units::bigint[] is null or list_contains($units, profiles.unit_id))
order by traits."at" desc, traits.profile_id limit $limit
"""
