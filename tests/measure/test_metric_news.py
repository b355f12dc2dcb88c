"""What changes a metric without an event of its own: time, people becoming one, and erasure."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.measure.test_metrics import ORDERS

import spira.measure.tables  # noqa: F401
from spira.measure.metrics.compute import compute, stretches
from spira.testing.houses import House, at


def counted(house, *, hours, full=False):
    """The customers of each day, once computed."""
    compute(house.warehouse, [ORDERS], as_of=at(hours), zone="UTC", full=full)
    rows = house.warehouse.query(
        "select period, value from metric_points where grain = 'day' and slice = '' order by period"
    )
    return {period.date().isoformat(): value for period, value in rows}


@pytest.fixture
def house():
    """A house with two people."""
    with House() as made:
        made.subject(1, "user_id")
        made.subject(2)
        yield made


def test_an_event_a_little_ahead_of_its_turn_is_counted_by_the_next(house):
    """
    What came in after the turn began lies ahead of its instant; a later turn without news counts it.
    """
    house.say(1, "Order Completed", hours=-1)
    house.say(2, "Order Completed", hours=1)
    house.load()
    assert counted(house, hours=1) == {"2026-03-01": 1.0}
    assert counted(house, hours=2) == {"2026-03-01": 2.0}


def test_people_who_become_one_are_one_in_the_past(house):
    """
    A day on which two orders came of two people has one customer once the two are known to be one.
    """
    house.say(1, "Order Completed", hours=-50)
    house.say(2, "Order Completed", hours=-49)
    house.load()
    assert counted(house, hours=1) == {"2026-02-27": 2.0}
    house.link(1, 2, hours=0)
    house.load()
    assert counted(house, hours=2) == counted(house, hours=2, full=True) == {"2026-02-27": 1.0}


def test_people_who_are_parted_again_are_two_in_the_past(house):
    """
    A device that a second user signs in on belongs to neither, and what it did is a customer's of its own again.
    """
    house.subject(3, "user_id")
    house.say(1, "Order Completed", hours=-50)
    house.say(2, "Order Completed", hours=-49)
    house.link(1, 2, hours=-48)
    house.load()
    assert counted(house, hours=1) == {"2026-02-27": 1.0}
    house.link(3, 2, hours=0)
    house.load()
    assert counted(house, hours=2) == counted(house, hours=2, full=True) == {"2026-02-27": 2.0}


def test_what_was_erased_is_counted_no_more(house):
    """
    Once the events of a person are gone, their periods are counted again without them.
    """
    house.say(1, "Order Completed", hours=-50)
    house.say(2, "Order Completed", hours=-20)
    house.load()
    assert counted(house, hours=1) == {"2026-02-27": 1.0, "2026-02-28": 1.0}
    house.warehouse.execute("delete from events where subject_id = 1")
    assert counted(house, hours=2) == {"2026-02-28": 1.0}


def test_a_turn_without_news_computes_nothing(house):
    """
    The points stay as they were computed, with the instant of it.
    """
    house.say(1, "Order Completed", hours=-50)
    house.load()
    counted(house, hours=1)
    assert compute(house.warehouse, [ORDERS], as_of=at(2), zone="UTC") == 0
    assert house.warehouse.query("select distinct as_of from metric_points") == [(at(1),)]


def test_a_late_event_computes_its_own_periods_alone(house):
    """
    An order of a month ago leaves the points of the days since as they were computed.
    """
    house.say(1, "Order Completed", hours=-50)
    house.load()
    counted(house, hours=1)
    house.say(2, "Order Completed", hours=-30 * 24)
    house.load()
    assert counted(house, hours=2) == {"2026-01-30": 1.0, "2026-02-27": 1.0}
    asked = "select period, as_of from metric_points where grain = 'day' and slice = '' order by period"
    assert house.warehouse.query(asked) == [(at(-30 * 24 - 12), at(2)), (at(-48 - 12), at(1))]


@settings(max_examples=examples(100))
@given(
    days=st.sets(st.dates(date(2024, 1, 20), date(2024, 4, 5)), min_size=1, max_size=6),
    grain=st.sampled_from(["day", "week", "month"]),
)
def test_stretches_hold_the_periods_of_their_days_and_no_others(days, grain):
    """
    Stretches lie apart and in order, hold every day asked about, and each of their periods has one.
    """
    found = stretches(days, grain)
    assert all(one[1] < two[0] for one, two in pairwise(found))
    held = {begins + timedelta(days=each) for begins, ends in found for each in range((ends - begins).days)}
    assert days <= held
    same = {"day": lambda day: day, "week": lambda day: day.isocalendar()[:2], "month": lambda day: day.month}[grain]
    assert {same(day) for day in held} == {same(day) for day in days}
