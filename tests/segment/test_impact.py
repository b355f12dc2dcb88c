"""Impact: a plan's people, counted from a draft of the definitions, with nothing written."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.segment import conftest as small

from spira.definitions.plan import plan
from spira.segment import audiences, tags
from spira.segment.impact import Impact, assessments, impact

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=10)
BEFORE = """
tag: orders
value: count_of('Order Completed')
---
tag: spare
value: first_of(store_id, 'Order Completed')
---
audience: buyers
who: orders >= 3
---
audience: everyone
who: orders >= 0
"""
AFTER = """
tag: orders
value: count_of('Order Completed', within => '8 days')
---
tag: first_at
value: min_of(ts, 'Order Completed')
---
audience: buyers
who: orders >= 2
---
audience: early
who: first_at is not null and orders < 6
"""


@pytest.fixture
def refreshed(shop):
    """Six people with 1 to 6 orders, one on each of the days from the first; refreshed on day ten."""
    shop.define(BEFORE)
    shop.add(
        [
            {"person": person, "event": "Order Completed", "ts": START + timedelta(days=place), "store_id": "s"}
            for person in range(1, 7)
            for place in range(person)
        ]
    )
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    audiences.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    return shop


def test_a_draft_is_counted_in_people(refreshed):
    """Orders of the first two days leave the window, so that each person's count changes."""
    found = impact(refreshed.warehouse, small.workspace(AFTER))
    # With the window, person n has n - 2 orders (none for 1 and 2): 4, 5 and 6 have two or more.
    assert found.tags == {"orders": 6, "first_at": 6, "spare": 6}
    assert found.entering == {"early": 6, "buyers": 0, "everyone": 0}
    assert found.leaving == {"buyers": 1, "everyone": 6, "early": 0}


def test_nothing_is_written(refreshed):
    """Every table is as it was, and the next refresh has nothing to do."""
    names = ("tags", "tag_inputs", "members", "membership_changes", "member_edges", "progress", "tag_changes")
    before = {name: refreshed.table(name) for name in names}
    impact(refreshed.warehouse, small.workspace(AFTER))
    assert {name: refreshed.table(name) for name in names} == before
    moves = audiences.compute(refreshed.warehouse, refreshed.applied, refreshed.catalog, AS_OF)
    assert (moves.entered, moves.left) == (0, 0)


def test_what_applies_is_what_was_planned(refreshed):
    """After the draft is applied, the memberships that begin and end are those that were counted."""
    found = impact(refreshed.warehouse, small.workspace(AFTER))
    refreshed.define(AFTER)
    tags.compute(refreshed.warehouse, refreshed.applied, refreshed.catalog, AS_OF)
    moves = audiences.compute(refreshed.warehouse, refreshed.applied, refreshed.catalog, AS_OF)
    assert (moves.entered, moves.left) == (sum(found.entering.values()), sum(found.leaving.values()))


def test_a_plan_carries_the_people(refreshed):
    """Beside each change of a tag or an audience stands whom it concerns."""
    workspace = small.workspace(AFTER)
    found = plan(refreshed.applied, workspace, assess=assessments(refreshed.warehouse, workspace))
    assert {(each.kind, each.name): dict(each.people) for each in found.changes} == {
        ("tag", "orders"): {"change": 6},
        ("tag", "first_at"): {"change": 6},
        ("tag", "spare"): {"change": 6},
        ("audience", "buyers"): {"enter": 0, "leave": 1},
        ("audience", "early"): {"enter": 6, "leave": 0},
        ("audience", "everyone"): {"enter": 0, "leave": 6},
    }


def test_before_the_first_refresh_nothing_is_said_of_people(shop):
    """There is nothing to compare a draft with yet."""
    assert impact(shop.warehouse, small.workspace(AFTER)) == Impact()


def test_a_property_without_its_column_says_nothing_of_people(refreshed):
    """What was never loaded under that name can't be counted before it is applied."""
    text = AFTER.replace("min_of(ts, 'Order Completed')", "min_of(weight, 'Order Completed')")
    tracking = small.TRACKING.replace("store_id: text", "store_id: text, weight: number")
    workspace = small.workspace(text, tracking)
    assert impact(refreshed.warehouse, workspace) == Impact()
