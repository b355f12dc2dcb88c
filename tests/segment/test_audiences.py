"""Audiences: entering and leaving, by what people do, by time alone, and by definitions that come and go."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spira.segment import audiences, tags
from spira.segment.audiences import Moves
from spira.segment.models import compute as models

START = datetime(2026, 1, 1)
TWO = """
tag: orders
value: count_of('Order Completed')
---
audience: recent
who: did('Order Completed', within => '7 days')
---
audience: lapsed
who: orders > 0 and not in_audience('recent')
"""


def _day(count):
    return START + timedelta(days=count)


def _order(person, day):
    return {"person": person, "event": "Order Completed", "ts": _day(day)}


def _refresh(shop, day, **more):
    tags.compute(shop.warehouse, shop.applied, shop.catalog, _day(day), **more)
    models.compute(shop.warehouse, shop.applied, _day(day), **more)
    return audiences.compute(shop.warehouse, shop.applied, shop.catalog, _day(day), **more)


def _changes(shop):
    return shop.table("membership_changes", order="change_id")


def test_people_enter_by_what_they_do_and_leave_by_time(shop):
    """Nobody does anything on day nine, yet the window has passed: one left, and the other was entered."""
    shop.define(TWO)
    shop.add([_order(4, 1)])
    assert _refresh(shop, 2) == Moves(entered=1, left=0)
    assert _refresh(shop, 5) == Moves(entered=0, left=0)
    assert _refresh(shop, 9) == Moves(entered=1, left=1)
    assert _changes(shop) == [
        (1, "recent", 4, True, _day(2)),
        (2, "lapsed", 4, True, _day(9)),
        (3, "recent", 4, False, _day(9)),
    ]
    assert shop.table("members") == [("lapsed", 4, _day(9))]


def test_who_stays_keeps_the_day_they_entered(shop):
    """A member who is looked at again is not entered again."""
    shop.define(TWO)
    shop.add([_order(1, 1)])
    _refresh(shop, 2)
    shop.add([_order(1, 3)])
    assert _refresh(shop, 4) == Moves(entered=0, left=0)
    assert shop.table("members") == [("recent", 1, _day(2))]


def test_who_is_restricted_is_in_no_audience_and_has_no_tag(shop):
    """They leave with the refresh that sees the restriction, and come back once it is lifted."""
    shop.define(TWO)
    shop.add([_order(4, 1), _order(5, 1)])
    assert _refresh(shop, 2) == Moves(entered=2, left=0)
    shop.warehouse.execute("insert into restricted values (4, ?, false)", [_day(3)])
    assert _refresh(shop, 3, full=True) == Moves(entered=0, left=1)
    assert [row[0] for row in shop.warehouse.query("select profile_id from tags where orders > 0")] == [5]
    shop.warehouse.execute("delete from restricted")
    assert _refresh(shop, 4, full=True) == Moves(entered=1, left=0)


def test_a_retired_audience_lets_its_members_go(shop):
    """When an audience is taken out of the definitions, everyone in it leaves, and is told of."""
    shop.define(TWO)
    shop.add([_order(1, 1), _order(2, 1)])
    _refresh(shop, 2)
    shop.define("audience: other\nwho: 'true'")
    assert _refresh(shop, 3) == Moves(entered=2, left=2)
    assert {row[1:4] for row in _changes(shop)[2:]} == {
        ("other", 1, True),
        ("other", 2, True),
        ("recent", 1, False),
        ("recent", 2, False),
    }


def test_the_last_audience_can_be_retired(shop):
    """With no audience left nobody is a member of anything."""
    shop.define(TWO)
    shop.add([_order(1, 1)])
    _refresh(shop, 2)
    shop.define("tag: orders\nvalue: count_of('Order Completed')")
    assert _refresh(shop, 3) == Moves(entered=0, left=1)
    assert shop.table("members") == []


def test_a_person_merged_away_leaves(shop):
    """A profile that is no more leaves its audiences; the one it went to enters them."""
    shop.define(TWO)
    shop.add([_order(1, -30), _order(5, 1)])
    _refresh(shop, 2)
    assert shop.table("members") == [("lapsed", 1, _day(2)), ("recent", 5, _day(2))]
    shop.merge(5, into=1)
    _refresh(shop, 3)
    assert shop.table("members") == [("recent", 1, _day(3))]


def test_a_rank_that_others_moved_changes_a_membership(shop):
    """An audience on a rank follows people who did nothing themselves."""
    shop.define("tag: half\nvalue: ntile(count_of('Order Completed'), n => 2)\n---\naudience: top\nwho: half = 2")
    shop.add([_order(1, 1), _order(2, 1), _order(2, 2)])
    _refresh(shop, 3)
    assert [row[:2] for row in shop.table("members")] == [("top", 2)]
    shop.add([_order(1, 3), _order(1, 4), _order(1, 5)])
    assert _refresh(shop, 6) == Moves(entered=1, left=1)
    assert [row[:2] for row in shop.table("members")] == [("top", 1)]


def test_a_new_fit_changes_a_membership(shop):
    """An audience on a score follows a model that was fitted anew, for people who did nothing."""
    shop.define(
        """
model: next_order
kind: next_order_date
refit: 4 days
---
audience: late
who: days_since(next_order) >= 1
"""
    )
    shop.add([_order(1, 0), _order(2, 0), _order(2, 10)])
    _refresh(shop, 12)
    assert [row[:2] for row in shop.table("members")] == [("late", 1)]
    shop.add([_order(2, 12)])
    _refresh(shop, 13)
    assert [row[:2] for row in shop.table("members")] == [("late", 1)]
    shop.add([_order(3, -120), _order(3, 0)])
    _refresh(shop, 17)
    assert [row[:2] for row in shop.table("members")] == []


def test_a_crash_before_the_commit_is_as_if_nothing_happened(shop, monkeypatch):
    """Stopped within its transaction, the stage leaves no trace, and the next run does it all."""
    shop.define(TWO)
    shop.add([_order(1, 1)])
    tags.compute(shop.warehouse, shop.applied, shop.catalog, _day(2))

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(audiences.progress, "mark", stop)
        with pytest.raises(KeyboardInterrupt):
            audiences.compute(shop.warehouse, shop.applied, shop.catalog, _day(2))
    assert shop.table("members") == shop.table("membership_changes") == shop.table("audience_program") == []
    assert audiences.compute(shop.warehouse, shop.applied, shop.catalog, _day(2)) == Moves(entered=1, left=0)


def test_a_condition_that_is_written_otherwise_waits_for_one_refresh(shop):
    """It is compiled to the same as before, and yet known to be worked out once a refresh has seen it."""
    shop.define("audience: none\nwho: count_of('Order Completed') > 9\n")
    _refresh(shop, 2)
    assert audiences.worked_out(shop.warehouse, shop.applied) == {"none"}
    shop.define("audience: none\nwho: count_of('Order Completed')  >  9\n")
    assert audiences.worked_out(shop.warehouse, shop.applied) == frozenset()
    _refresh(shop, 3)
    assert audiences.worked_out(shop.warehouse, shop.applied) == {"none"}


def test_who_moved_in_one_refresh_is_found_by_the_next(shop):
    """Nothing else touches the person: they count from the instant after they entered, until the window has passed."""
    shop.define(TWO + "---\naudience: newcomers\nwho: entered_audience('recent', within => '3 days')\n")
    shop.add([_order(4, 1)])
    assert _refresh(shop, 2) == Moves(entered=1, left=0)
    assert _refresh(shop, 3) == Moves(entered=1, left=0)
    assert _refresh(shop, 5) == Moves(entered=0, left=0)
    assert _refresh(shop, 6) == Moves(entered=0, left=1)
    assert _changes(shop)[1:] == [(2, "newcomers", 4, True, _day(3)), (3, "newcomers", 4, False, _day(6))]
