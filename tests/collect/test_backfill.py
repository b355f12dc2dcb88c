"""A property declared late takes over its values in slices, whatever happens between them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.collect.desk import RETAIL, track
from tests.examples import examples

from spira.collect import backfill
from spira.collect.tracking import TrackingDefinition, plan_of, reconcile

LATE = {"tracking": "late", "events": {"Shelf Visited": {"properties": {"shelf": "text", "far": "number"}}}}


def declare(desk, *parts, at_once=0):
    desk.plan = plan_of([TrackingDefinition.model_validate(each) for each in (RETAIL, *parts)])
    reconcile(desk.warehouse, desk.plan, at_once=at_once)


def visits(desk, first, last):
    calls = [track("Shelf Visited", id=f"v{n}", user=f"u{n}", shelf=f"s{n}", far=n / 2) for n in range(first, last)]
    desk.batch(*calls, track(id=f"o{first}", user="buyer", revenue=1))
    desk.load()


def values(desk):
    return desk.rows("select message_id, shelf, far from events order by message_id")


def test_slices_end_where_filling_at_once_ends(make_desk):
    """Slice by slice the columns get what they get when few rows are filled at once; then there is nothing to do."""
    slowly, quickly = make_desk(), make_desk()
    for each in (slowly, quickly):
        visits(each, 0, 10)
    declare(slowly, LATE)
    declare(quickly, LATE, at_once=1000)
    assert {each.column for each in backfill.pending(slowly.warehouse)} == {"shelf", "far"}
    assert backfill.pending(quickly.warehouse) == ()
    turns = 0
    while backfill.step(slowly.warehouse, slice=4):
        turns += 1
    assert turns == 3
    assert values(slowly) == values(quickly)
    assert backfill.pending(slowly.warehouse) == ()


QUICKLY = {"phases": (Phase.explicit, Phase.generate), "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=examples(8), **QUICKLY)
@given(st.lists(st.sampled_from(["step", "load", "restart"]), max_size=8), st.integers(1, 6))
def test_loading_goes_on_between_slices(make_desk, turns, slice):
    """Whatever is loaded meanwhile and however often it is taken up again, every value is in its column at the end."""
    desk = make_desk()
    visits(desk, 0, 6)
    declare(desk, LATE)
    come = 6
    for turn in turns:
        if turn == "load":
            visits(desk, come, come + 2)
            come += 2
        elif turn == "restart":
            declare(desk, LATE)
        else:
            backfill.step(desk.warehouse, slice=slice)
    while backfill.step(desk.warehouse, slice=slice):
        pass
    shelves = {row[0]: row[1] for row in values(desk) if row[0].startswith("v")}
    assert shelves == {f"v{n}": f"s{n}" for n in range(come)}


def test_a_slice_that_is_killed_is_done_again(desk, monkeypatch):
    """Nothing of a broken slice stays, and the place is where it was."""
    visits(desk, 0, 6)
    declare(desk, LATE)
    before = desk.rows("select * from backfills"), values(desk), desk.rows("select * from loaded")
    with monkeypatch.context() as patch:
        patch.setattr(backfill, "_MOVE", "select nonsense")
        with pytest.raises(Exception, match="nonsense"):
            backfill.step(desk.warehouse, slice=3)
    assert (desk.rows("select * from backfills"), values(desk), desk.rows("select * from loaded")) == before
    assert backfill.step(desk.warehouse, slice=3)


def test_profiles_whose_values_were_taken_over_count_as_changed(desk):
    """Only theirs, in a batch of its own, so that tags and audiences follow."""
    visits(desk, 0, 3)
    declare(desk, LATE)
    batch = desk.rows("select max(batch) from loaded")[0][0]
    while backfill.step(desk.warehouse):
        pass
    changed = desk.rows("select profile_id from changes where batch > ? order by all", [batch])
    theirs = desk.rows("select distinct profile_id from events where shelf is not null order by all")
    assert changed == theirs
    assert desk.load().batch == batch + 1


def test_a_type_that_is_changed_on_the_way_is_the_type_at_the_end(desk):
    """What was filled is cast, and what is left is filled as the new type; lines are filled like events."""
    desk.batch(*(track(id=f"m{n}", far="1.5", products=[{"product_id": "p", "weight": 2.5}]) for n in range(6)))
    desk.load()
    lines = {"tracking": "l", "events": {"Order Completed": {"arrays": {"products": {"weight": "money"}}}}}
    declare(desk, {"tracking": "late", "events": {"Order Completed": {"properties": {"far": "text"}}}}, lines)
    backfill.step(desk.warehouse, slice=2)
    declare(desk, {"tracking": "late", "events": {"Order Completed": {"properties": {"far": "number"}}}}, lines)
    while backfill.step(desk.warehouse, slice=2):
        pass
    assert desk.rows("select distinct far from events") == [(1.5,)]
    assert desk.rows("select distinct weight from order_lines") == [(Decimal("2.5000"),)]
