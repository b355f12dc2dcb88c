"""The life of a tag: a draft is only tried out, a retired one is only kept, and nothing may use either."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.segment.conftest import workspace

from spira.definitions.check import check
from spira.segment import tag_past, tags
from spira.segment.impact import impact
from spira.segment.lineage import texts_understood

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=10)
LIVING = """
tag: orders
value: count_of('Order Completed')
---
tag: spare
value: max_of(ts, 'Order Completed')
"""
RETIRED = LIVING.replace("tag: spare", "tag: spare\nstatus: retired")
DRAFTS = (
    LIVING
    + """
---
tag: idea
status: draft
value: orders + 1
---
tag: better_idea
status: draft
value: idea * 2
"""
)


def bought(shop):
    shop.add([{"person": each, "event": "Order Completed", "ts": START, "store_id": "s"} for each in range(1, 4)])


def test_a_retired_tag_is_not_worked_out_and_can_be_asked_of_the_past(shop):
    """Its column goes with the next refresh, the others stay; an earlier instant still has its values."""
    shop.define(LIVING)
    bought(shop)
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    shop.define(RETIRED)
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    assert set(shop.warehouse.columns("tags")) == {"profile_id", "next_edge_at", "orders"}
    found, _ = texts_understood({each.tag: each.value for each in shop.applied.of("tag")}, {}, shop.catalog)
    with tag_past.worked_out(shop.warehouse, shop.catalog, "spare", found, AS_OF):
        assert tag_past.values(shop.warehouse, "spare", [1, 2, 3]) == dict.fromkeys((1, 2, 3), START)


def test_retiring_counts_everyone_who_loses_a_value(shop):
    """A plan says how many have no value of the tag any more."""
    shop.define(LIVING)
    bought(shop)
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    found = impact(shop.warehouse, workspace(RETIRED))
    assert found.tags == {"orders": 0, "spare": 3}


def test_a_draft_is_tried_out_over_other_drafts_and_nothing_computes_it(shop):
    """Drafts build on drafts and on what is applied, with the right types; the refresh knows none of them."""
    shop.define(DRAFTS)
    bought(shop)
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    assert "idea" not in shop.warehouse.columns("tags")
    assert shop.catalog.idle == {"idea": "integer", "better_idea": "integer"}
    found, _ = texts_understood({each.tag: each.value for each in shop.applied.of("tag")}, {}, shop.catalog)
    with tag_past.worked_out(shop.warehouse, shop.catalog, "better_idea", found, AS_OF):
        assert tag_past.values(shop.warehouse, "better_idea", [1]) == {1: 4}


def test_using_an_idle_tag_is_a_fault_at_each_place():
    """An audience and an applied tag that use a draft or a retired tag are told so, each at the name."""
    text = (
        DRAFTS.replace("tag: spare", "tag: spare\nstatus: retired")
        + """
---
tag: wrong
value: idea > 1
---
audience: late
who: orders > 1 and spare is not null
"""
    )
    said = sorted(each.message for each in check(workspace(text)))
    assert said == [f"the tag `{each}` is a draft or retired, and nothing may use it" for each in ("idea", "spare")]
    assert not check(workspace(DRAFTS))
