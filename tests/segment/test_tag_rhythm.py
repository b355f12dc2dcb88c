"""Tag rhythm: a tag that need not follow every change keeps its value until its time, and is then what all get."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from spira.segment import tags
from spira.segment.tag_rhythm import ALWAYS, is_due

START = datetime(2026, 1, 1)
DEFINED = """
tag: orders
value: count_of('Order Completed')
---
tag: slow
refresh: every 6 hours
value: count_of('Order Completed', within => '2 days')
---
tag: fifth
refresh: daily at 04:00
value: quintile(orders)
---
tag: steady
refresh: every 6 hours
value: orders + 1
---
tag: behind
value: orders - slow
"""


def at(hours):
    return START + timedelta(hours=hours)


def order(person, hours):
    return {"person": person, "event": "Order Completed", "ts": at(hours), "store_id": "s"}


def computed(shop, hours, **more):
    tags.compute(shop.warehouse, shop.applied, shop.catalog, at(hours), **more)
    names = ("orders", "slow", "fifth", "steady", "behind")
    rows = shop.warehouse.query(f"select profile_id, {', '.join(names)} from tags order by profile_id")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def test_a_rhythm_says_when_it_is_due():
    """Lengths count from the last time; a daily one is due when its hour has gone by in the workspace's zone."""
    assert is_due("every 30 minutes", at(0), at(0.5), zone="UTC")
    assert not is_due("30 minutes", at(0), at(0.4), zone="UTC")
    assert not is_due("daily at 04:00", at(5), at(27), zone="UTC")
    assert is_due("daily at 04:00", at(5), at(28), zone="UTC")
    assert is_due("daily at 04:00", at(5), at(20), zone="Asia/Shanghai")
    assert is_due(ALWAYS, at(0), at(0), zone="UTC")


def test_between_two_times_the_value_stays_and_what_follows_every_change_reads_it(shop):
    """An order changes the tag that follows and none of a rhythm; somebody new has none until it is due."""
    shop.define(DEFINED)
    shop.add([order(1, -3), order(2, -2), order(2, -1)])
    assert computed(shop, 0)[1] == {"orders": 1, "slow": 1, "fifth": 1, "steady": 2, "behind": 0}
    shop.add([order(1, 1), order(3, 1)])
    found = computed(shop, 2)
    assert found[1] == {"orders": 2, "slow": 1, "fifth": 1, "steady": 2, "behind": 1}
    assert found[3] == {"orders": 1, "slow": None, "fifth": None, "steady": None, "behind": None}
    assert computed(shop, 5.9)[1]["slow"] == 1
    due = computed(shop, 6)
    assert due[3] == {"orders": 1, "slow": 1, "fifth": due[3]["fifth"], "steady": 2, "behind": 0}
    assert due[1] == {"orders": 2, "slow": 2, "fifth": due[1]["fifth"], "steady": 3, "behind": 0}


def test_at_its_time_it_is_what_a_full_refresh_makes(shop, opened):
    """Days of orders and refreshes at random: when all rhythms are due the rows are those of everyone worked out."""
    chance = random.Random(7)
    shop.define(DEFINED)
    other = opened()
    other.define(DEFINED)
    for hours in range(0, 79, 3):
        orders = [order(chance.randint(1, 9), hours + chance.uniform(-60, 2)) for _ in range(chance.randint(0, 4))]
        shop.add(orders)
        other.add(orders)
        found = computed(shop, hours)
        if hours % 24 == 6:  # both rhythms are due: six hours have passed, and four in the morning
            assert found == computed(other, hours, full=True)
    other.warehouse.close()


@pytest.mark.parametrize("people", [1, 3])
def test_a_refresh_in_stretches_carries_as_well(shop, monkeypatch, people):
    """Stretch by stretch the tags of a rhythm that is not due keep their values, and cut points stay."""
    shop.define(DEFINED)
    shop.add([order(person, -person) for person in range(1, 8)])
    computed(shop, 0)
    shop.add([order(person, 5) for person in range(1, 4)])
    monkeypatch.setattr("spira.segment.whole.PEOPLE", people)
    before = computed(shop, 5.5)  # behind four in the morning, before the six hours are over
    cuts = shop.table("tag_cuts")
    found = computed(shop, 6)
    assert [each["slow"] for each in found.values()] == [2, 2, 2, 1, 1, 1, 1]
    assert [each["fifth"] for each in found.values()] == [each["fifth"] for each in before.values()]
    assert shop.table("tag_cuts") == cuts
