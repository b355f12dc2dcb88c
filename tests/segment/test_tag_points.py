"""Coverage by day: counted at most once an hour, one row a day, kept through upgrades."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from spira.segment import tag_points, tags
from spira.storage.migrations.warehouse import prepare
from spira.storage.warehouse import open_warehouse

NOON = datetime(2026, 6, 1, 12)
DEFINED = """
tag: spent
value: max_of(revenue, 'Order Completed')
"""


def _filled(shop):
    shop.define(DEFINED)
    order = {"event": "Order Completed", "ts": NOON - timedelta(days=1), "revenue": Decimal(3)}
    shop.add([{"person": 1, **order}, {"person": 2, "event": "Coupon Applied", "ts": NOON - timedelta(days=1)}])
    tags.compute(shop.warehouse, shop.applied, shop.catalog, NOON)


def _note(shop, as_of, **more):
    return tag_points.note(shop.warehouse, as_of=as_of, zone="UTC", **more)


def _told(shop):
    found = tag_points.points(shop.warehouse, "spent", since=date(2026, 1, 1))
    return [(each.day, each.profiles, each.with_value, each.as_of) for each in found]


def test_coverage_is_counted_at_most_once_an_hour(shop):
    """Within an hour the counts stand; a full refresh counts at once."""
    _filled(shop)
    assert _note(shop, NOON) == 1
    assert _note(shop, NOON + timedelta(minutes=59)) == 0
    assert _note(shop, NOON + timedelta(minutes=59), full=True) == 1
    assert _told(shop) == [(date(2026, 6, 1), 2, 1, NOON + timedelta(minutes=59))]


def test_a_day_has_one_row_and_a_missed_day_none(shop):
    """The last count of a day stays; a day on which nobody counted is missing."""
    _filled(shop)
    for hours in (0, 2, 72):
        _note(shop, NOON + timedelta(hours=hours))
    assert [day for day, *_ in _told(shop)] == [date(2026, 6, 1), date(2026, 6, 4)]
    assert _told(shop)[0][3] == NOON + timedelta(hours=2)


def test_a_day_is_the_workspaces_own(shop):
    """Half past five in the afternoon in London is the next day in Shanghai."""
    _filled(shop)
    tag_points.note(shop.warehouse, as_of=datetime(2026, 6, 1, 17, 30), zone="Asia/Shanghai")
    assert [day for day, *_ in _told(shop)] == [date(2026, 6, 2)]


def test_a_warehouse_from_before_gets_the_table():
    """A file of version 1 has no coverage by day, and opens with an empty table of it."""
    with open_warehouse() as warehouse:
        warehouse.execute("create table warehouse_version (version integer not null)")
        warehouse.execute("insert into warehouse_version values (1)")
        prepare(warehouse)
        assert tag_points.points(warehouse, "spent", since=date(2026, 1, 1)) == ()
