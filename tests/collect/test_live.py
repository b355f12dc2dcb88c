"""The events that were accepted last."""

from __future__ import annotations

from tests.collect.desk import track

from spira.collect.live import Wanted, choices, latest

ALL = Wanted()


def test_what_is_newer_than_a_number_is_told_once_and_nothing_is_passed_over(desk):
    """Looking again from where the last look ended gives exactly what was loaded meanwhile."""
    desk.batch(track(id="m1"), track(id="m2"))
    desk.load()
    first = latest(desk.warehouse, ALL)
    assert [each.event_id for each in first.events] == [2, 1]
    assert latest(desk.warehouse, ALL, after=first.after).events == ()
    desk.batch(track(id="m2"), track(id="m3"))
    desk.load()
    second = latest(desk.warehouse, ALL, after=first.after)
    assert [each.event_id for each in second.events] == [3]
    assert second.after == 3


def test_what_is_not_wanted_is_passed_over_for_good(desk):
    """The next look begins behind all there is, so a rare event does not make each look a long one."""
    desk.batch(track(id="m1"), track("Measured", id="m2"))
    desk.load()
    seen = latest(desk.warehouse, Wanted(event="Measured"))
    assert [each.event for each in seen.events] == ["Measured"]
    assert latest(desk.warehouse, Wanted(source="nobody")).after == 2
    assert latest(desk.warehouse, Wanted(touchpoint="web")).events == ()


def test_no_contact_value_is_in_an_event_that_is_shown(desk):
    """Neither in a declared text nor in what is undeclared."""
    desk.batch(track(id="m1", store_id="ann@example.com", note="13800138000", who={"name": "Ann", "size": "L"}))
    desk.load()
    (event,) = latest(desk.warehouse, ALL).events
    told = f"{event.properties} {event.undeclared}"
    assert not any(word in told for word in ("ann@", "13800138000", "Ann"))
    assert "'size': 'L'" in told


def test_there_is_to_choose_by_what_came_lately(desk):
    """Sources, events and touchpoints of the newest events; what is frequent first."""
    desk.batch(track(id="m1"), track(id="m2"), track("Measured", id="m3"))
    desk.load()
    offered = choices(desk.warehouse)
    assert (offered.sources, offered.events, offered.touchpoints) == (("shop",), ("Order Completed", "Measured"), ())
    assert choices(desk.warehouse, among=1).events == ("Measured",)


def test_a_rare_event_is_found_however_far_back(desk, monkeypatch):
    """Where the newest events have too few that are wanted, the ones before them are looked at as well."""
    monkeypatch.setattr("spira.collect.live._FIRST", 1)
    desk.batch(track("Measured", id="m1"), *(track(id=f"n{number}") for number in range(5)))
    desk.load()
    assert [each.event_id for each in latest(desk.warehouse, Wanted(event="Measured")).events] == [1]
    assert [each.event_id for each in latest(desk.warehouse, ALL, limit=3).events] == [6, 5, 4]
    assert latest(desk.warehouse, Wanted(event="Measured"), after=1).events == ()
