"""What events of a name have ever carried is known, however the columns came by it."""

from __future__ import annotations

from tests.collect.desk import RETAIL, track

from spira.collect import backfill, carried
from spira.collect.tracking import TrackingDefinition, plan_of, reconcile

LATE = {"tracking": "late", "events": {"Shelf Visited": {"properties": {"shelf": "text"}}}}


def declare(desk, *parts, at_once=0):
    desk.plan = plan_of([TrackingDefinition.model_validate(each) for each in (RETAIL, *parts)])
    reconcile(desk.warehouse, desk.plan, at_once=at_once)


def fill(desk):
    """Two kinds of events, one with the property of the other, and calls that are read one by one."""
    desk.batch(
        track(id="a", user="u1", revenue=3),
        track("Shelf Visited", id="b", user="u1", shelf="s1", currency="CNY"),
        track(id="c", user=7, store_id="s2"),
    )
    desk.load()


def filled(desk):
    """Per name of event, the columns of properties in which any event has something."""
    own = set(desk.plan.properties())
    names = [name for name in desk.warehouse.columns("events") if name in own]
    found = {}
    for event, *counts in desk.rows(
        f"select event, {', '.join(f'count({name})' for name in names)} from events group by 1"
    ):
        found[event] = {name for name, count in zip(names, counts, strict=True) if count}
    return found


def test_what_is_noted_is_what_there_is(desk):
    """Plain or odd, declared here or by another event: each column that has something is noted, and no other."""
    fill(desk)
    for event, names in filled(desk).items():
        assert carried.of(desk.warehouse, [event]) == names
    assert carried.of(desk.warehouse, ["Order Completed", "Shelf Visited"]) == {"revenue", "store_id", "currency"}


def test_of_a_name_that_was_never_seen_nothing_is_said(desk):
    """Nobody leaves a column out because of what was never noted."""
    fill(desk)
    assert carried.of(desk.warehouse, ["Order Completed", "Never Seen"]) is None


def test_a_column_that_is_filled_later_may_be_any_events(desk):
    """From the moment it is there, before a single slice is filled."""
    fill(desk)
    declare(desk, LATE)
    assert backfill.pending(desk.warehouse)
    assert "shelf" in carried.of(desk.warehouse, ["Shelf Visited"])


def test_a_warehouse_from_before_is_looked_through_once(desk):
    """What is learnt of events that are there equals what is noted while they come."""
    fill(desk)
    noted = desk.rows("select * from carried order by all")
    desk.warehouse.execute("delete from carried")
    declare(desk)
    assert desk.rows("select * from carried order by all") == noted
