"""What comes through each source, and which fell silent."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.collect.desk import NOON, track

from spira.collect import sources, traffic
from spira.collect.traffic import by_day


def heard(desk, hours, **more):
    """Events received at hours relative to noon, loaded."""
    for number, hour in enumerate(sorted(hours)):
        at = NOON + timedelta(hours=hour)
        if at > desk.clock.now():
            desk.clock.step(at)
        desk.post("/v1/track", track(id=f"m{number}-{hour}", at=None, **more))
    desk.load()


def listed(desk, as_of):
    return {row.source: row for row in traffic.traffic(desk.warehouse, sources.every(desk.state), as_of=as_of).sources}


def test_counts_go_by_when_events_were_received(desk):
    """The last hour, day and thirty days, whatever time an event tells of itself; refused calls have their share."""
    heard(desk, [0, 30, 47.5])
    desk.post("/v1/track", {"event": "Order Completed", "messageId": "nobody"})
    desk.load()
    row = listed(desk, NOON + timedelta(hours=48))["shop"]
    assert (row.hour, row.day, row.month, row.refused) == (1, 2, 3, 1)
    assert row.refused_share == 0.25
    assert row.last_seen == NOON + timedelta(hours=47.5)


def test_a_source_is_silent_when_it_pauses_twice_as_long_as_ever(desk):
    """A source that sends every six hours is silent after more than twelve, and not before."""
    heard(desk, [0, 6, 12, 18])
    assert not listed(desk, NOON + timedelta(hours=30))["shop"].silent
    row = listed(desk, NOON + timedelta(hours=30, minutes=1))["shop"]
    assert row.silent
    assert row.usual_pause == timedelta(hours=6).total_seconds()


def test_a_source_without_a_habit_or_without_a_key_is_never_silent(desk):
    """Neither one that was hardly heard, nor one that nobody ever heard, nor one that was ended is called silent."""
    heard(desk, [0, 6])
    sources.add(desk.state, desk.clock, "unheard")
    later = NOON + timedelta(days=60)
    assert not any(row.silent for row in listed(desk, later).values())
    heard(desk, [7, 8, 9])
    assert listed(desk, later)["shop"].silent
    sources.end(desk.state, desk.clock, "shop")
    assert not listed(desk, later)["shop"].silent


def test_a_source_that_fell_silent_long_ago_still_says_when_it_was_heard(desk):
    """Beyond the days in which a habit is looked for, the last event is found all the same."""
    heard(desk, [0, 1, 2, 3])
    row = listed(desk, NOON + timedelta(days=200))["shop"]
    assert (row.last_seen, row.silent) == (NOON + timedelta(hours=3), True)


def test_one_source_tells_its_days_its_names_and_what_is_not_declared(desk):
    """Events by local day and name, undeclared events and properties with how often, kinds of identifiers, reasons."""
    heard(desk, [0, 1], colour="red")
    heard(desk, [2], event="Danced")
    desk.batch(track(id="wrong", revenue="much"), {"type": "identify", "anonymousId": "a1", "messageId": "i1"})
    desk.load()
    shown = traffic.one(desk.warehouse, desk.source, as_of=NOON + timedelta(hours=3), zone="Asia/Shanghai")
    assert [(each.event, each.events) for each in shown.events] == [
        ("Order Completed", 2), ("Danced", 1), ("Identified", 1)
    ]  # fmt: skip
    assert {(each.event, each.property, each.type, each.seen) for each in shown.undeclared} == {
        ("Order Completed", "colour", "text", 2), ("Danced", "", "event", 1)
    }  # fmt: skip
    assert {(each.kind, each.identifiers) for each in shown.kinds} == {("user_id", 1), ("anonymous_id", 1)}
    assert shown.reasons == {"wrong_type": 1}
    assert len(shown.days) == 30
    assert (shown.days[-1].day, shown.days[-1].events, shown.days[-1].refused) == (date(2026, 3, 1), 4, 1)


def test_a_quarter_hour_belongs_to_its_local_day():
    """Days are those of the zone, also where it is half an hour off; a day without events is there."""
    late = datetime(2026, 3, 1, 18, 45)  # 00:15 on the second in Kolkata
    days = by_day([(late, 3), (late - timedelta(minutes=30), 4)], as_of=late, zone="Asia/Kolkata", days=3)
    assert days == {date(2026, 2, 28): 0, date(2026, 3, 1): 4, date(2026, 3, 2): 3}
