"""How a source is, as an operator sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.collect.desk import NOON, track

from spira.collect import sources, traffic
from spira.collect.corrections import correction_of
from spira.collect.health import changed, door, health
from spira.collect.load import source_facts
from spira.collect.replay import Chosen, Reading, replay


def seen(desk):
    return health(desk.warehouse, desk.state, sources.get(desk.state, "shop"), as_of=desk.clock.now())


def test_rate_lateness_loading_and_duplicates_are_told(desk):
    """Two events that happened two hours before they came, loaded a minute later, and one of them sent twice."""
    desk.batch(track(id="m1"), track(id="m2", at="2026-03-01T11:00:00Z"))
    desk.clock.step(timedelta(minutes=1))
    desk.load()
    desk.batch(track(id="m1"))
    desk.load()
    found = seen(desk)
    assert found.per_minute == 2 / 60
    assert [each.events for each in found.hours][-1] == 2
    assert len(found.hours) == 48
    assert (found.late, round(found.late_most)) == (5400.0, 7020)
    assert (found.loading, found.loading_most) == (60.0, 60.0)
    assert (found.duplicates, found.duplicate_share) == (1, 1 / 3)


def test_hours_add_up_over_batches(desk):
    """However many batches an hour has, it is one row."""
    for number in range(4):
        desk.batch(track(id=f"m{number}"))
        desk.load()
    assert desk.rows("select source, loaded, duplicates from tallies") == [("shop", 4, 0)]


def test_a_property_that_changed_its_type_is_named_with_its_beginning(desk):
    """Which property of which event, what came instead, since when, and how many calls lie in quarantine."""
    desk.batch(track(id="m0", revenue=1))
    desk.clock.step(timedelta(hours=1))
    desk.batch(*(track(id=f"m{n}", revenue="1") for n in range(1, 4)))
    desk.clock.step(timedelta(hours=1))
    desk.batch(
        track(id="m9", revenue="2"),
        track(id="m10", products=[{"quantity": "2"}]),
        track(id="m11", products=[{}, {"quantity": "2"}]),
    )
    desk.load()
    first, second = seen(desk).changed
    assert (first.property, first.event, first.declared, first.came, first.calls) == (
        "revenue", "Order Completed", "an amount of money (a JSON number)", "text", 4,
    )  # fmt: skip
    assert (first.since, first.last) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    assert (second.property, second.came, second.calls) == ("products[].quantity", "text", 2)
    assert door(desk.warehouse, desk.state, as_of=desk.clock.now()).changed == seen(desk).changed


def test_an_undeclared_property_that_comes_as_another_type_is_named(desk):
    """After twenty numbers a text is news for a week; whole numbers, and what was mixed at once, are none."""
    said = [{"size": 1 if n % 2 else 1.5, "odd": n if n % 2 else "x", "rare": "x"} for n in range(20)]
    desk.batch(*(track("Seen", id=f"m{n}", **each) for n, each in enumerate(said)))
    desk.load()
    assert changed(desk.warehouse, as_of=desk.clock.now()) == ()
    desk.clock.step(timedelta(days=2))
    desk.batch(track("Seen", id="n1", size="L", odd=1, rare="2026-03-01"), track("Seen", id="n2", size="XL"))
    desk.load()
    (one,) = seen(desk).changed
    assert (one.event, one.property, one.declared, one.came, one.calls, one.undeclared) == (
        "Seen", "size", "number", "text", 2, True,
    )  # fmt: skip
    assert one.since.date() == one.last.date() == (NOON + timedelta(days=2)).date()
    desk.clock.step(timedelta(days=8))
    assert seen(desk).changed == ()


def test_what_was_replayed_has_changed_no_more(desk):
    """Once the calls are loaded nobody is warned."""
    desk.batch(track(id="m1", revenue="1"))
    desk.load()
    reading = Reading(keys=desk.keys, plan=desk.plan, sources=source_facts(desk.state), settings=desk.settings)
    replay(
        desk.warehouse, reading, Chosen(), correction_of("", "", "revenue=money"),
        log=desk.log, clock=desk.clock, actor="ann",
    )  # fmt: skip
    desk.load()
    assert changed(desk.warehouse, as_of=desk.clock.now()) == ()


def test_personal_finds_are_counted_by_property(desk):
    """The source's page says where, and of what kind."""
    desk.batch(track("Asked", id="m1", note="13800138000 or 13900139000", ip="1.2.3.4"))
    desk.load()
    assert {(each.property, each.kind, each.seen) for each in seen(desk).personal} == {
        ("note", "phone", 2),
        ("ip", "named", 1),
    }


@pytest.mark.parametrize(("minutes", "quiet", "silent"), [(None, 59, False), (30, 29, False), (30, 31, True)])
def test_a_silence_alarms_after_its_minutes(desk, minutes, quiet, silent):
    """A source that says how long it may be quiet is silent after that, be it ever so new."""
    sources.adjust(desk.state, "shop", mode=None, silent_minutes=minutes)
    for call in ((), (track(id="m1"),)):
        if call:
            desk.batch(*call)
            desk.load()
        as_of = desk.clock.now() + timedelta(minutes=quiet)
        (row,) = traffic.traffic(desk.warehouse, sources.every(desk.state), as_of=as_of).sources
        assert row.silent is silent
        assert row.silent_minutes == minutes


def test_what_is_only_counted_is_one_row_a_day(desk):
    """However many batches see an undeclared or a personal thing, it is counted in the row of its day."""
    for number in range(4):
        desk.batch(track("Asked", id=f"m{number}", note="13800138000"))
        desk.load()
    desk.clock.step(timedelta(days=1))
    desk.batch(track("Asked", id="m9", note="13800138000"))
    desk.load()
    assert desk.rows("select property, type, seen from undeclared where property <> '' order by day") == [
        ("note", "text", 4),
        ("note", "text", 1),
    ]
    assert desk.rows("select property, kind, seen from personal order by day") == [
        ("note", "phone", 4),
        ("note", "phone", 1),
    ]
