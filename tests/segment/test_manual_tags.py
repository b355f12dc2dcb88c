"""Manual tags: the fold of what staff said is the tag, and what may be said at all."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.segment.conftest import workspace

from spira.kernel.errors import Conflict
from spira.segment import manual_tags, tags

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=10)
MANUAL = """
tag: vip
manual: flag
---
tag: care
manual: choice
values: {gold: Gold, silver: Silver}
---
tag: looked_after
value: vip and care = 'gold'
"""
ACTS = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from([("vip", "yes"), ("vip", None), ("care", "gold"), ("care", "silver"), ("care", None)]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def said(shop, acts):
    """Acts of staff as the loader would put them into the events."""
    rows = []
    for person, (tag, value), day in acts:
        (event,) = manual_tags.changes(
            [person], tag, value or manual_tags.NONE, staff_id="s1", at=START + timedelta(days=day)
        )
        rows.append({"person": person, "event": event.event, "ts": event.at, **event.properties})
    nothing = dict.fromkeys(("tag_name", "tag_value", "staff_id"))
    shop.add([{"person": 1, "event": "Order Completed", "ts": START, **nothing}, *rows])


def compute(shop, **more):
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF, **more)
    return {row[0]: row[1:] for row in shop.warehouse.query("select profile_id, vip, care, looked_after from tags")}


@settings(max_examples=examples(3))
@given(acts=ACTS)
def test_a_manual_tag_is_the_last_thing_that_was_said(opened, acts):
    """Whatever order the acts come in, the latest by time, then by arrival, is the value; none takes it away."""
    shop = opened()
    shop.define(MANUAL)
    said(shop, acts)
    expected = {1: {"vip": None, "care": None}} | {act[0]: {"vip": None, "care": None} for act in acts}
    for person, (tag, value), _ in sorted(acts, key=lambda act: act[2]):
        expected[person][tag] = value
    wanted = {
        who: (each["vip"] == "yes", each["care"], each["vip"] == "yes" and each["care"] == "gold")
        for who, each in expected.items()
    }
    found = compute(shop)
    shop.warehouse.close()
    assert {who: (vip, care, bool(both)) for who, (vip, care, both) in found.items()} == wanted


def test_other_tags_and_conditions_build_on_a_manual_one(shop):
    """A tag that reads manual ones has its value by the same refresh."""
    shop.define(MANUAL)
    said(shop, [(1, ("vip", "yes"), 1), (1, ("care", "gold"), 1)])
    assert compute(shop) == {1: (True, "gold", True)}
    said(shop, [(1, ("vip", None), 2)])
    assert compute(shop) == {1: (False, "gold", False)}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tag: vip\nmanual: flag\nvalue: did('Order Completed')", "not both"),
        ("tag: vip\nmanual: choice", "choose among"),
        ("tag: vip\nmanual: choice\nvalues: {'-': Nothing}", "choose among"),
        ("tag: vip\nmanual: perhaps", "perhaps"),
        ("tag: vip", "needs"),
    ],
)
def test_what_is_no_manual_tag_is_told_at_its_place(text, word):
    """Both ways at once, a choice of nothing and an unknown way are faults of the file."""
    found = workspace(text).diagnostics
    assert found
    assert word in " ".join(each.message for each in found)


def test_only_values_of_the_tag_can_be_said():
    """A flag takes yes, a choice one of its values; both take none."""
    assert manual_tags.chosen("flag", {}, "yes") == "yes"
    assert manual_tags.chosen("flag", {}, None) == manual_tags.NONE
    assert manual_tags.chosen("choice", {"gold": "Gold"}, "gold") == "gold"
    for manual, value in (("flag", "gold"), ("choice", "bronze"), ("choice", manual_tags.NONE)):
        with pytest.raises(Conflict):
            manual_tags.chosen(manual, {"gold": "Gold"}, value)
