from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.engage.journeys.advance import tick
from spira.segment.catalog import catalog_of
from spira.testing.houses import House, at
from spira.testing.walks import SETTINGS, SHOP, applied, member, person

THANKS = """
journey: thanks
label: Thanks
enter: {audience: lapsed}
goal: {did: Order Completed, within: 2 days}
holdout: 0%
steps:
  - until: {event: Order Completed, timeout: 3 days}
  - send: {channel: email, template: hello}
"""
PEOPLE = (1, 2, 3)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as made:
        yield made


def first_order(house: House, profile: int, after: datetime, hours: float) -> datetime | None:
    """The first order of a person after an instant, looked for among all events; `hours` are those it may take."""
    until = after + (at(hours) - at(0))
    asked = (
        "select min(ts) from profile_events where event = 'Order Completed' and profile_id = ? and ts > ? and ts <= ?"
    )
    found: datetime | None = house.warehouse.value(asked, [profile, after, until])
    return found


MOVE = st.one_of(
    st.tuples(st.just("order"), st.sampled_from((1, 2, 3, 101, 102, 103)), st.integers(-30, 40)),
    st.tuples(st.just("join"), st.sampled_from(PEOPLE), st.just(0)),
    st.tuples(st.just("tick"), st.just(0), st.integers(1, 30)),
)


@settings(max_examples=examples(10))
@given(moves=st.lists(MOVE, min_size=3, max_size=12))
def test_what_is_new_is_all_that_has_to_be_looked_at(house: House, moves: list[tuple[str, int, int]]) -> None:
    """
    Orders late, early and of visitors who join a person later reach each goal as if all events were asked each time.
    """
    house.clear()
    world = applied(SHOP, THANKS)
    catalog = catalog_of(world, SETTINGS)
    for profile in PEOPLE:
        person(house, profile, at(-1))
        house.subject(100 + profile)
        member(house, profile, "lapsed", at(-1))
    reached: dict[int, datetime] = {}
    now = 0.0
    for what, who, hours in [*moves, ("tick", 0, 1)]:
        if what == "order":
            house.say(who, "Order Completed", hours=now + hours)
            house.load()
        elif what == "join":
            house.link(who, 100 + who)
            house.load()
        else:
            tick(house.warehouse, world, catalog, at(now))
            entered = house.warehouse.query("select profile_id, entered_at, goal_at from enrolments")
            for profile, since, _ in entered:
                found = first_order(house, profile, since, 48)
                if found is not None:
                    reached.setdefault(profile, found)
            assert {profile: goal for profile, _, goal in entered if goal is not None} == reached
            now += hours


def test_one_who_waits_is_woken_by_what_a_visitor_did_before_joining(house: House) -> None:
    """
    An order of an unknown visitor, loaded long before, wakes the person once the two are known to be one.
    """
    house.clear()
    world = applied(SHOP, THANKS)
    catalog = catalog_of(world, SETTINGS)
    person(house, 1, at(-1))
    house.subject(101)
    member(house, 1, "lapsed", at(-1))
    tick(house.warehouse, world, catalog, at(0))
    house.say(101, "Order Completed", hours=1)
    house.load()
    for hours in (2, 3):
        tick(house.warehouse, world, catalog, at(hours))
    assert house.warehouse.query("select template from outbox") == []
    house.link(1, 101)
    house.load()
    tick(house.warehouse, world, catalog, at(4))
    assert house.warehouse.query("select template from outbox") == [("hello",)]
