"""The cockpit: six figures, the turns of the spiral, and what journeys were worth, for one viewer.

Reads   `profile_events`, `profiles`, `traits`, `tags`, `permissions`, `deliveries`, `enrolments`, `membership_changes`

A figure covers the thirty days before `as_of` and is compared with the thirty before those.
A viewer's figures count the people of their units only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spira.kernel.viewer import Viewer, bound_units
from spira.measure.experiments import Arm, Difference, difference
from spira.measure.provinces import Provinces, provinces
from spira.storage.warehouse import Warehouse

DAYS = 30
LIFECYCLE_TAG = "lifecycle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number and its story. `before` is the same number one period earlier, None where there is none."""

    name: str = field(metadata={"help": "which figure; pages have its words"})
    unit: str = field(metadata={"help": "count, money or share"})
    value: float | None = field(metadata={"help": "the last thirty days"})
    before: float | None = field(metadata={"help": "the thirty days before"})
    spark: tuple[float, ...] = field(metadata={"help": "day by day, oldest first"})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How many profiles stand at one turn of the spiral."""

    name: str = field(metadata={"help": "the value of the tag lifecycle"})
    profiles: int = field(metadata={"help": "how many"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Who entered and left an audience in the last day."""

    audience: str = field(metadata={"help": "the audience"})
    entered: int = field(metadata={"help": "how many entered"})
    left: int = field(metadata={"help": "how many left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFigures:
    """What became of one channel's messages in the last thirty days."""

    channel: str = field(metadata={"help": "the channel"})
    sent: int = field(metadata={"help": "handed to the provider"})
    delivered: int = field(metadata={"help": "arrived, by receipt"})
    opened: int = field(metadata={"help": "opened at least once"})
    clicked: int = field(metadata={"help": "clicked at least once"})
    bounced: int = field(metadata={"help": "came back"})
    failed: int = field(metadata={"help": "refused or given up on"})
    withheld: Mapping[str, int] = field(metadata={"help": "kept back by the gate, by reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyFigures:
    """One journey so far, and the difference its messages made."""

    journey: str = field(metadata={"help": "the journey"})
    enrolled: int = field(metadata={"help": "walks begun"})
    active: int = field(metadata={"help": "walks under way"})
    goals: Difference = field(metadata={"help": "goals reached: treated against held out, with a 95 % interval"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cockpit:
    """Everything the page shows."""

    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    profiles: int = field(metadata={"help": "people known"})
    figures: tuple[Figure, ...] = field(metadata={"help": "the six figures"})
    lifecycle: tuple[State, ...] = field(metadata={"help": "the turns of the spiral"})
    movements: tuple[Movement, ...] = field(metadata={"help": "audiences in the last day"})
    channels: tuple[ChannelFigures, ...] = field(metadata={"help": "messages by channel"})
    journeys: tuple[JourneyFigures, ...] = field(metadata={"help": "journeys"})
    provinces: Provinces | None = field(metadata={"help": "people by province; null when nobody's place is known"})


def cockpit(warehouse: Warehouse, viewer: Viewer, *, as_of: datetime, traits: Collection[str] = ()) -> Cockpit:
    """The cockpit as `viewer` may see it; `traits` are those of a place that a condition may speak of."""
    bound: dict[str, Any] = {
        "as_of": as_of,
        "start": as_of - timedelta(days=DAYS),
        "before": as_of - timedelta(days=2 * DAYS),
        **bound_units(viewer),
    }
    profiles, reachable, fresh, fresh_before = warehouse.query(_PEOPLE, _used(_PEOPLE, bound))[0]
    figures = (
        *_order_figures(warehouse, bound),
        Figure(
            name="new_customers",
            unit="count",
            value=fresh,
            before=fresh_before,
            spark=_spark(warehouse.query(_NEW_BY_DAY, _used(_NEW_BY_DAY, bound)), bound["start"]),
        ),
        _messages_figure(warehouse, bound),
        Figure(name="reachable", unit="share", value=reachable / profiles if profiles else None, before=None, spark=()),
    )
    return Cockpit(
        as_of=as_of,
        profiles=profiles,
        figures=figures,
        lifecycle=_lifecycle(warehouse, bound),
        movements=tuple(
            Movement(audience=name, entered=entered, left=left)
            for name, entered, left in warehouse.query(_MOVEMENTS, _used(_MOVEMENTS, bound))
        ),
        channels=_channels(warehouse, bound),
        journeys=journey_figures(warehouse, viewer),
        provinces=provinces(warehouse, viewer, as_of=as_of, declared=traits),
    )


def journey_figures(warehouse: Warehouse, viewer: Viewer) -> tuple[JourneyFigures, ...]:
    """Each journey's walks and what its messages were worth, among the viewer's people."""
    return tuple(
        JourneyFigures(
            journey=name,
            enrolled=enrolled,
            active=active,
            goals=difference(Arm(profiles=treated, reached=treated_goals), Arm(profiles=held, reached=held_goals)),
        )
        for name, enrolled, active, treated, treated_goals, held, held_goals in warehouse.query(
            _JOURNEYS, bound_units(viewer)
        )
    )


def _order_figures(warehouse: Warehouse, bound: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Active customers, orders and revenue, from `Order Completed`."""
    with_revenue = "revenue" in warehouse.columns("profile_events")
    totals = _ORDERS_WITH_REVENUE if with_revenue else _ORDERS
    by_day = _DAYS_WITH_REVENUE if with_revenue else _DAYS
    active, active_before, orders, orders_before, revenue, revenue_before = warehouse.query(
        totals, _used(totals, bound)
    )[0]
    days = warehouse.query(by_day, _used(by_day, bound))
    start = bound["start"]
    return (
        Figure(
            name="active_customers",
            unit="count",
            value=active,
            before=active_before,
            spark=_spark([(day, people) for day, people, _, _ in days], start),
        ),
        Figure(
            name="orders",
            unit="count",
            value=orders,
            before=orders_before,
            spark=_spark([(day, count) for day, _, count, _ in days], start),
        ),
        Figure(
            name="revenue",
            unit="money",
            value=None if revenue is None else float(revenue),
            before=None if revenue_before is None else float(revenue_before),
            spark=_spark([(day, amount) for day, _, _, amount in days], start),
        ),
    )


def _messages_figure(warehouse: Warehouse, bound: Mapping[str, Any]) -> Figure:
    sent, before = warehouse.query(_SENT, _used(_SENT, bound))[0]
    days = warehouse.query(_SENT_BY_DAY, _used(_SENT_BY_DAY, bound))
    return Figure(name="messages_sent", unit="count", value=sent, before=before, spark=_spark(days, bound["start"]))


def _lifecycle(warehouse: Warehouse, bound: Mapping[str, Any]) -> tuple[State, ...]:
    if LIFECYCLE_TAG not in warehouse.columns("tags"):
        return ()
    rows = warehouse.query(_LIFECYCLE, _used(_LIFECYCLE, bound))
    return tuple(State(name=name, profiles=count) for name, count in rows)


def _channels(warehouse: Warehouse, bound: Mapping[str, Any]) -> tuple[ChannelFigures, ...]:
    reasons: dict[str, dict[str, int]] = {}
    for channel, reason, count in warehouse.query(_WITHHELD, _used(_WITHHELD, bound)):
        reasons.setdefault(channel, {})[reason] = count
    return tuple(
        ChannelFigures(
            channel=channel,
            sent=sent,
            delivered=delivered,
            opened=opened,
            clicked=clicked,
            bounced=bounced,
            failed=failed,
            withheld=reasons.get(channel, {}),
        )
        for channel, sent, delivered, opened, clicked, bounced, failed in warehouse.query(
            _CHANNELS, _used(_CHANNELS, bound)
        )
    )


def _spark(days: Sequence[tuple[Any, ...]], start: datetime) -> tuple[float, ...]:
    """Thirty values, one a day of 24 hours from `start`; a day without rows is 0."""
    by_day = {int(day): float(value or 0) for day, value in days}
    return tuple(by_day.get(day, 0.0) for day in range(DAYS)) if start else ()


def _used(statement: str, bound: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a statement names."""
    return {name: value for name, value in bound.items() if f"${name}" in statement}


_PEOPLE = """
select count(*),
       (select count(distinct profile_id) from permissions join profiles using (profile_id)
        where granted and purpose = 'marketing'
          and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))),
       count(*) filter (first_seen >= $start and first_seen < $as_of),
       count(*) filter (first_seen >= $before and first_seen < $start)
from profiles where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
_NEW_BY_DAY = """
select datediff('second', $start::timestamp, first_seen) // 86400 as day, count(*)
from profiles
where first_seen >= $start and first_seen < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_ORDERS = """
select count(distinct profile_id) filter (ts >= $start), count(distinct profile_id) filter (ts < $start),
       count(*) filter (ts >= $start), count(*) filter (ts < $start), null, null
from profile_events join profiles using (profile_id)
where event = 'Order Completed' and ts >= $before and ts < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
_ORDERS_WITH_REVENUE = _ORDERS.replace(
    "null, null", "sum(revenue) filter (ts >= $start), sum(revenue) filter (ts < $start)"
)
_DAYS = """
select datediff('second', $start::timestamp, ts) // 86400 as day, count(distinct profile_id), count(*), null
from profile_events join profiles using (profile_id)
where event = 'Order Completed' and ts >= $start and ts < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_DAYS_WITH_REVENUE = _DAYS.replace("null\n", "sum(revenue)\n")
_SENT = """
select count(*) filter (sent_at >= $start), count(*) filter (sent_at < $start)
from deliveries join profiles using (profile_id)
where sent_at >= $before and sent_at <= $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
_SENT_BY_DAY = """
select datediff('second', $start::timestamp, sent_at) // 86400 as day, count(*)
from deliveries join profiles using (profile_id)
where sent_at >= $start and sent_at <= $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_LIFECYCLE = """
select lifecycle::varchar as state, count(*) as people
from tags join profiles using (profile_id)
where lifecycle is not null and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by state order by people desc, state
"""
_MOVEMENTS = """
select audience, count(*) filter (entered), count(*) filter (not entered)
from membership_changes join profiles using (profile_id)
where membership_changes.at > $as_of::timestamp - interval 1 day
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by audience order by count(*) desc, audience
"""
_CHANNELS = """
select channel, count(sent_at), count(delivered_at), count(opened_at), count(clicked_at), count(bounced_at),
       count(*) filter (state = 'failed')
from deliveries join profiles using (profile_id)
where created_at >= $start and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by channel order by channel
"""
_WITHHELD = """
select channel, coalesce(reason, 'unknown'), count(*)
from deliveries join profiles using (profile_id)
where state = 'withheld' and created_at >= $start
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by all order by all
"""
_JOURNEYS = """
select journey, count(*), count(*) filter (state = 'active'),
       count(*) filter (not held_out), count(*) filter (not held_out and goal_at is not null),
       count(*) filter (held_out), count(*) filter (held_out and goal_at is not null)
from enrolments join profiles using (profile_id)
where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by journey order by journey
"""
