"""Audiences' figures: the past that follows from the changes, what is shared, and what sets people apart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.clock import local, midnight
from spira.kernel.viewer import Viewer
from spira.segment.audience_facts import differences, overlaps, standings
from spira.segment.audience_uses import Use, sources_of, uses_of
from spira.segment.conditions.catalog import Catalog
from spira.testing.cores import ROOT
from spira.testing.houses import House, two_audiences

NOW = datetime(2026, 3, 20, 15, 30)
ZONE = "Asia/Kolkata"
NEAR = Viewer(staff_id="n", name="N", roles=frozenset({"guide"}), units=frozenset({1}))
MOVES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 24 * 12)), max_size=40)


@pytest.fixture(scope="module")
def house():
    with House() as made:
        yield made


def _replayed(house, moves):
    """Each person enters and leaves in turn; who is in when, as a list of (at, person, entered)."""
    house.clear()
    inside, log = {}, []
    for number, (person, hours) in enumerate(sorted(moves, key=lambda each: -each[1]), 1):
        at = NOW - timedelta(hours=hours)
        entered = person not in inside
        inside.pop(person) if not entered else inside.update({person: at})
        log.append((at, person, entered))
        house.put("membership_changes", change_id=number, audience="a", profile_id=person, entered=entered, at=at)
    for person in range(1, 5):
        house.put("profiles", profile_id=person, unit_id=person % 2, first_seen=NOW, last_seen=NOW)
    for person, since in inside.items():
        house.put("members", audience="a", profile_id=person, since=since)
    return log


@settings(max_examples=examples(40))
@given(MOVES)
def test_every_day_has_the_members_that_its_changes_had_left(house, moves):
    """For any log of changes, each day's figure is that of replaying the log up to the day's end."""
    log = _replayed(house, moves)
    for viewer, seen in ((ROOT, {1, 2, 3, 4}), (NEAR, {1, 3})):
        (found,) = standings(house.warehouse, viewer, ["a"], as_of=NOW, zone=ZONE, days=10, known={"a"})
        assert [each.day for each in found.days][-1] == local(NOW, ZONE).date()
        for each in found.days:
            start, end = midnight(each.day, ZONE), midnight(each.day + timedelta(days=1), ZONE)
            inside = set()
            for at, person, entered in log:
                if at < end:
                    (inside.add if entered else inside.discard)(person)
            begun = any(at < end for at, _, _ in log)
            assert each.members == (len(inside & seen) if begun else None)
            on_day = [entered for at, person, entered in log if start <= at < end and person in seen]
            assert (each.entered, each.left) == (sum(on_day), len(on_day) - sum(on_day))
        if log:
            assert found.days[-1].members == found.members
        for moved in found.moved:
            since = NOW - timedelta(days=moved.days)
            assert moved.entered == sum(entered for at, person, entered in log if at > since and person in seen)


def test_an_audience_without_any_past_has_no_days(house):
    """Before anybody was in, days are missing; they do not say nobody."""
    house.clear()
    (found,) = standings(house.warehouse, ROOT, ["a"], as_of=NOW, zone="UTC", days=3, known={"a"})
    assert (found.members, found.total, found.share, found.as_of) == (0, 0, None, None)
    assert [each.members for each in found.days] == [None, None, None]


def test_overlap_counts_who_is_in_both(house):
    """Twenty of sixty and sixty are in both: a fifth of the hundred in either."""
    two_audiences(house, since=NOW)
    (found,) = overlaps(house.warehouse, ROOT, "a", ["a", "b"])
    assert (found.audience, found.members, found.both, found.jaccard) == ("b", 60, 20, 0.2)
    (part,) = overlaps(house.warehouse, NEAR, "a", ["a", "b"])
    assert (part.members, part.both) == (30, 10)


def test_a_value_that_members_have_more_often_sets_them_apart(house):
    """Tea is had by 42 of 60 members and 56 of 200 people; a tag the condition reads is left out."""
    two_audiences(house, since=NOW)
    catalog = Catalog(tags={"taste": "text", "gone": "text", "orders": "integer"})
    (tea,) = differences(house.warehouse, ROOT, "a", catalog)
    assert (tea.tag, tea.value, tea.members, tea.others) == ("taste", "tea", 42, 56)
    assert (tea.share, tea.other_share, round(tea.lift, 4)) == (0.7, 0.28, 2.5)
    assert differences(house.warehouse, ROOT, "a", catalog, without=frozenset({"taste"})) == ()


def test_too_few_people_say_nothing(house):
    """A value that fewer than twenty members have is not told."""
    two_audiences(house, since=NOW)
    house.warehouse.execute("delete from members where audience = 'a' and profile_id > 19")
    assert differences(house.warehouse, ROOT, "a", Catalog(tags={"taste": "text"})) == ()


def test_numbers_are_compared_in_fifths_of_everyone(house):
    """Who spends most is more frequent among those who do; the edges say which fifth it is."""
    two_audiences(house, since=NOW)
    if "spent" not in house.warehouse.columns("tags"):
        house.warehouse.execute("alter table tags add column spent double")
    house.warehouse.execute("update tags set spent = 201 - profile_id")
    (most, *_) = differences(house.warehouse, ROOT, "a", Catalog(tags={"spent": "number"}), numbers=True)
    assert (most.tag, most.members, most.upto) == ("spent", 40, None)
    assert 155 < most.above < 165
    assert round(most.lift, 1) == 3.3
    assert differences(house.warehouse, ROOT, "a", Catalog(tags={"spent": "number"})) == ()


def test_uses_are_read_from_conditions_and_references(shop):
    """Another audience and a tag use it in their expressions; what the condition reads is told by kind."""
    shop.define(
        """
tag: orders
value: count_of('Order Completed')
---
audience: recent
who: did('Order Completed', within => '7 days')
---
audience: lapsed
description: not in_audience('nobody here')
who: orders > 0 and not in_audience('recent')
"""
    )
    assert uses_of(shop.applied, shop.catalog) == {"recent": (Use(kind="audience", name="lapsed"),)}
    assert sources_of("orders > 0 and not in_audience('recent') and city = 'Rome'", shop.catalog) == (
        Use(kind="tag", name="orders"),
        Use(kind="trait", name="city"),
        Use(kind="audience", name="recent"),
    )
