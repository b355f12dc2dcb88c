"""What one journey was worth: those written to against those held out, and what became of its messages.

Reads   `enrolments`, `deliveries`, `profiles`, `profile_events`

Both groups are counted alike, from entering on. Where they are too small for a statement the report says
so, and how many more people it would take: as many as show the difference seen so far with 95 % confidence
four times in five. Numbers are of the viewer's people only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from spira.engage.journeys.facts import GoalSaid
from spira.kernel.viewer import Viewer, bound_units
from spira.measure.experiments import ENOUGH, Arm, Difference, difference, people_needed
from spira.measure.journey_money import JourneyMoney, journey_money
from spira.segment.conditions.catalog import EventSchema
from spira.storage.warehouse import Warehouse

DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFates:
    """What became of the messages that a journey asked for."""

    asked: int = field(metadata={"help": "asked for"})
    waiting: int = field(metadata={"help": "queued, or held for a better hour"})
    sent: int = field(metadata={"help": "handed to the channel"})
    delivered: int = field(metadata={"help": "arrived, by receipt"})
    opened: int = field(metadata={"help": "opened at least once"})
    clicked: int = field(metadata={"help": "clicked at least once"})
    bounced: int = field(metadata={"help": "came back"})
    failed: int = field(metadata={"help": "refused or given up on"})
    unknown: int = field(metadata={"help": "nobody knows whether they went out"})
    withheld: dict[str, int] = field(metadata={"help": "kept back by the gate, by reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyDay:
    """One day of a journey."""

    day: date = field(metadata={"help": "the day, of 24 hours that end at the hour of `as_of`"})
    entered: int = field(metadata={"help": "walks begun"})
    sent: int = field(metadata={"help": "messages sent"})
    goals: int = field(metadata={"help": "goals reached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyReport:
    """One journey, measured."""

    journey: str = field(metadata={"help": "the journey"})
    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    goals: Difference = field(metadata={"help": "goals reached: treated against held out, with a 95 % interval"})
    more_needed: int | None = field(
        metadata={"help": "how many more people would show the difference seen; None where that can't be said"}
    )
    money: JourneyMoney | None = field(metadata={"help": "what it brought in; None without a goal"})
    messages: MessageFates = field(metadata={"help": "its messages, since it began"})
    days: tuple[JourneyDay, ...] = field(metadata={"help": "the last thirty days, oldest first"})


def journey_report(
    warehouse: Warehouse,
    viewer: Viewer,
    name: str,
    *,
    goal: GoalSaid | None,
    events: Mapping[str, EventSchema],
    currency: str,
    as_of: datetime,
) -> JourneyReport:
    """The report of a journey among the viewer's people; `currency` is of amounts that name none."""
    bound = {**bound_units(viewer), "journey": name}
    treated, treated_goals, held, held_goals = warehouse.query(_ARMS, bound)[0]
    goals = difference(Arm(profiles=treated, reached=treated_goals), Arm(profiles=held, reached=held_goals))
    money = None
    if goal is not None:
        said: dict[str, Any] = {"event": goal.did, "within": goal.within, "events": events, "currency": currency}
        money = journey_money(warehouse, viewer, name, **said, as_of=as_of)
    asked, waiting, sent, delivered, opened, clicked, bounced, failed, unknown = warehouse.query(_FATES, bound)[0]
    return JourneyReport(
        journey=name,
        as_of=as_of,
        goals=goals,
        more_needed=more_needed(goals),
        money=money,
        messages=MessageFates(
            asked=asked,
            waiting=waiting,
            sent=sent,
            delivered=delivered,
            opened=opened,
            clicked=clicked,
            bounced=bounced,
            failed=failed,
            unknown=unknown,
            withheld=dict(warehouse.query(_WITHHELD, bound)),
        ),
        days=_days(warehouse, {**bound, "start": as_of - timedelta(days=DAYS), "as_of": as_of}),
    )


def more_needed(goals: Difference) -> int | None:
    """How many more people, in the proportion so far, it would take to be sure of the difference seen so far."""
    treated, held = goals.treated, goals.held_out
    if goals.verdict in ("better", "worse") or treated.share is None or held.share is None or not goals.value:
        return None
    times = treated.profiles / held.profiles
    return people_needed(
        gap=goals.value,
        spread=treated.share * (1 - treated.share) / times + held.share * (1 - held.share),
        least=ENOUGH / min(times, 1),  # the smaller group must hold enough, whatever the difference
        treated=treated.profiles,
        held_out=held.profiles,
    )


def _days(warehouse: Warehouse, bound: dict[str, Any]) -> tuple[JourneyDay, ...]:
    counted: dict[str, dict[int, int]] = {name: dict(warehouse.query(sql, bound)) for name, sql in _BY_DAY.items()}
    start: datetime = bound["start"]
    return tuple(
        JourneyDay(
            day=(start + timedelta(days=day)).date(),
            entered=counted["entered"].get(day, 0),
            sent=counted["sent"].get(day, 0),
            goals=counted["goals"].get(day, 0),
        )
        for day in range(DAYS)
    )


_ARMS = """
select count(*) filter (not held_out), count(*) filter (not held_out and goal_at is not null),
       count(*) filter (held_out), count(*) filter (held_out and goal_at is not null)
from enrolments join profiles using (profile_id)
where journey = $journey and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
_FATES = """
select count(*), count(*) filter (state in ('queued', 'held')), count(sent_at), count(delivered_at), count(opened_at),
       count(clicked_at), count(bounced_at), count(*) filter (state = 'failed'), count(*) filter (state = 'unknown')
from deliveries join profiles using (profile_id)
where journey = $journey and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
_WITHHELD = """
select coalesce(reason, 'unknown'), count(*)
from deliveries join profiles using (profile_id)
where journey = $journey and state = 'withheld'
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by 1 order by count(*) desc, 1
"""
_ENTERED_BY_DAY = """
select datediff('second', $start::timestamp, entered_at) // 86400 as day, count(*)
from enrolments join profiles using (profile_id)
where journey = $journey and entered_at >= $start and entered_at < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_SENT_BY_DAY = """
select datediff('second', $start::timestamp, sent_at) // 86400 as day, count(*)
from deliveries join profiles using (profile_id)
where journey = $journey and sent_at >= $start and sent_at < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_GOALS_BY_DAY = """
select datediff('second', $start::timestamp, goal_at) // 86400 as day, count(*)
from enrolments join profiles using (profile_id)
where journey = $journey and goal_at >= $start and goal_at < $as_of
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by day
"""
_BY_DAY = {"entered": _ENTERED_BY_DAY, "sent": _SENT_BY_DAY, "goals": _GOALS_BY_DAY}
