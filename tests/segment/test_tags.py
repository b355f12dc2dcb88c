"""Tags: values, columns, ranks with their cut points, and whose values a refresh has changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from spira.kernel.errors import DefinitionsInvalid
from spira.segment import tags
from spira.storage import progress

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=10)


def _order(person, day, revenue=10, **more):
    at = START + timedelta(days=day)
    return {"person": person, "event": "Order Completed", "ts": at, "revenue": Decimal(revenue), **more}


def _compute(shop, as_of=AS_OF, **more):
    return tags.compute(shop.warehouse, shop.applied, shop.catalog, as_of, **more)


def _values(shop, *names):
    shown = ", ".join(("profile_id", *names))
    return shop.warehouse.query(f"select {shown} from tags order by profile_id")


def test_every_type_has_its_column(shop):
    """A tag's column has the type of its value, whatever that is."""
    shop.define(
        """
tag: many
value: count_of('Order Completed')
---
tag: spent
value: sum_of(revenue, 'Order Completed')
---
tag: mean
value: avg_of(revenue, 'Order Completed')
---
tag: store
value: last_of(store_id, 'Order Completed')
---
tag: last_at
value: max_of(ts, 'Order Completed')
---
tag: last_day
value: date(last_at)
---
tag: ever
value: did('Coupon Applied')
---
tag: nothing
value: 'null'
"""
    )
    shop.add([_order(7, 1, revenue=3, store_id="s1"), _order(7, 2, revenue=4)])
    assert _compute(shop) == 1
    assert shop.warehouse.columns("tags") == {
        "profile_id": "BIGINT",
        "next_edge_at": "TIMESTAMP",
        "many": "BIGINT",
        "spent": "DECIMAL(18,4)",
        "mean": "DOUBLE",
        "store": "VARCHAR",
        "last_at": "TIMESTAMP",
        "last_day": "DATE",
        "ever": "BOOLEAN",
        "nothing": "VARCHAR",
    }
    row = _values(shop, "many", "spent", "mean", "store", "last_at", "last_day", "ever", "nothing")
    last = START + timedelta(days=2)
    assert row == [(7, 2, Decimal(7), 3.5, "s1", last, date(2026, 1, 3), False, None)]


def test_columns_follow_the_definitions(shop):
    """A new tag gets a column, a changed one another type, a removed one none; rows stay whole."""
    shop.define("tag: a\nvalue: count_of('Order Completed')\n---\ntag: b\nvalue: '1'")
    shop.add([_order(1, 1)])
    _compute(shop)
    shop.define("tag: a\nvalue: last_of(store_id, 'Order Completed')\n---\ntag: c\nvalue: '2'")
    assert _compute(shop) == 1
    assert list(shop.warehouse.columns("tags")) == ["profile_id", "next_edge_at", "a", "c"]
    assert _values(shop, "a", "c") == [(1, None, 2)]


def test_columns_are_made_before_anyone_is_there(shop):
    """An empty workspace has the columns of its tags, so that conditions on them can be asked."""
    shop.define("tag: a\nvalue: count_of('Order Completed')")
    assert _compute(shop) == 0
    assert "a" in shop.warehouse.columns("tags")


def test_a_label_recomputes_nothing(shop):
    """What a tag is called is no part of its value."""
    shop.define("tag: a\nvalue: count_of('Order Completed')")
    shop.add([_order(1, 1)])
    _compute(shop)
    shop.define("tag: a\nlabel: Orders\nvalue: count_of('Order Completed')  -- all of them")
    assert _compute(shop) == 0


def test_only_the_touched_are_worked_out(shop):
    """A refresh takes the people of new batches, and those whose edge has passed."""
    shop.define("tag: recent\nvalue: count_of('Order Completed', within => '30 days')")
    shop.add([_order(person, person) for person in (1, 2, 3)])
    assert _compute(shop) == 3
    assert _compute(shop) == 0
    shop.add([_order(2, 9)])
    assert _compute(shop) == 1
    assert _compute(shop, START + timedelta(days=31, hours=1)) == 1
    assert _values(shop, "recent") == [(1, 0), (2, 2), (3, 1)]


def test_a_rank_moves_people_who_did_nothing(shop):
    """When the others pass somebody, that somebody's class changes, and what builds on it too."""
    shop.define(
        """
tag: spent_half
value: ntile(sum_of(revenue, 'Order Completed'), n => 2)
---
tag: is_top
value: spent_half = 2
"""
    )
    shop.add([_order(1, 1, revenue=10), _order(2, 1, revenue=20), _order(3, 1, revenue=30), _order(4, 1, revenue=40)])
    _compute(shop)
    assert _values(shop, "spent_half", "is_top") == [(1, 1, False), (2, 1, False), (3, 2, True), (4, 2, True)]
    shop.add([_order(1, 2, revenue=100)])
    assert _compute(shop) == 2
    assert _values(shop, "spent_half", "is_top") == [(1, 2, True), (2, 1, False), (3, 1, False), (4, 2, True)]


def test_cut_points_are_published(shop):
    """Each class of a rank says where it begins and ends and how many are in it."""
    shop.define("tag: third\nvalue: ntile(sum_of(revenue, 'Order Completed'), n => 3)")
    shop.add([_order(person, 1, revenue=10 * person) for person in range(1, 7)])
    _compute(shop)
    assert shop.table("tag_cuts") == [
        ("third", 1, 10.0, 20.0, 2, AS_OF),
        ("third", 2, 30.0, 40.0, 2, AS_OF),
        ("third", 3, 50.0, 60.0, 2, AS_OF),
    ]


def test_only_real_changes_are_told_on(shop):
    """`tag_changes` has whose values differ, not everyone who was worked out."""
    shop.define("tag: bought\nvalue: did('Order Completed')")
    shop.add([_order(1, 1), _order(2, 1)])
    _compute(shop)
    first = {profile for profile, _ in shop.table("tag_changes")}
    for reader in tags.READERS:
        progress.mark(shop.warehouse, reader, 1, AS_OF)
    shop.add([_order(1, 2), _order(3, 2)])
    assert _compute(shop) == 2
    assert first == {1, 2}
    assert shop.table("tag_changes") == [(3, 2)]


def test_a_person_merged_away_leaves_no_row(shop):
    """The tags of a profile whose subjects went elsewhere are gone, and the other one has all of it."""
    shop.define("tag: many\nvalue: count_of('Order Completed')")
    shop.add([_order(1, 1), _order(5, 1)])
    _compute(shop)
    shop.merge(5, into=1)
    _compute(shop)
    assert _values(shop, "many") == [(1, 2)]


def test_a_tag_that_can_not_be_understood_is_named(shop):
    """Definitions that no longer fit the catalogue stop the stage with the tag's name."""
    shop.define("tag: spent\nvalue: sum_of(revenue, 'Order Completed')")
    shop.add([_order(1, 1)])
    with pytest.raises(DefinitionsInvalid, match="the tag `spent` can't be worked out"):
        tags.compute(shop.warehouse, shop.applied, type(shop.catalog)(), AS_OF)
    assert shop.table("tags") == []


def test_readers_see_whole_rows_while_columns_are_exchanged(shop):
    """On another lane every question is answered all the while, with the old columns or the new."""
    shop.add([_order(person, 1) for person in range(1, 200)])
    shop.define("tag: a\nvalue: '1'")
    _compute(shop)
    with shop.warehouse.lane() as lane, ThreadPoolExecutor(1) as reader:
        asked = reader.submit(lambda: {len(lane.query("select a from tags")) for _ in range(400)})
        for number in range(8):
            shop.define(f"tag: a\nvalue: '{number}'\n---\ntag: b{number}\nvalue: '2'")
            _compute(shop)
        assert asked.result() == {199}


def test_a_crash_before_the_commit_leaves_the_old_columns(shop, monkeypatch):
    """Stopped while new columns are put in place, the stage leaves the old ones, and the next run does it all."""
    shop.define("tag: a\nvalue: '1'")
    shop.add([_order(1, 1)])
    _compute(shop)
    shop.define("tag: b\nvalue: '2'")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tags.progress, "mark", stop)
        with pytest.raises(KeyboardInterrupt):
            _compute(shop)
    assert _values(shop, "a") == [(1, 1)]
    assert _compute(shop) == 1
    assert _values(shop, "b") == [(1, 2)]
