"""What is told of a tag adds up, and names the people behind it exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.viewer import FEWEST, Viewer
from spira.segment import tag_facts, tags
from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import count_query, duckdb_sql
from spira.segment.distribution import distribution
from spira.segment.limits import TooSlow, limited
from spira.segment.lineage import Use, lineage, reading, texts_understood

AS_OF = datetime(2026, 6, 1)
ROOT = Viewer(staff_id="root", name="Root", roles=frozenset({"administrator"}), units=None)
READER = Viewer(staff_id="rae", name="Rae", roles=frozenset({"reader"}), units=None)
DEFINED = """
tag: orders
value: count_of('Order Completed')
---
tag: spent
value: sum_of(revenue, 'Order Completed')
---
tag: mean_basket
value: avg_of(revenue, 'Order Completed')
---
tag: last_at
value: max_of(ts, 'Order Completed')
---
tag: store
value: last_of(store_id, 'Order Completed')
---
tag: often
value: orders >= 3
---
tag: fifth
value: quintile(spent)
---
audience: heavy
who: often and fifth = 5
"""
TAGS = ("orders", "spent", "mean_basket", "last_at", "store", "often", "fifth")


def _order(person, day, revenue="10", **more):
    ts = AS_OF - timedelta(days=day)
    return {"person": person, "event": "Order Completed", "ts": ts, "revenue": Decimal(revenue), **more}


def _coupon(person):
    return {"person": person, "event": "Coupon Applied", "ts": AS_OF - timedelta(days=1)}


def _compute(shop):
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF, full=True)


def _spread(shop, viewer, tag):
    held = tag_facts.coverages(shop.warehouse, ROOT, [tag])[tag].with_value
    return held, distribution(shop.warehouse, shop.catalog, viewer, tag, with_value=held, as_of=AS_OF)


def _counted(shop, condition):
    analysis = analyse(condition, shop.catalog, expect="boolean")
    assert [each.message for each in analysis.faults] == []
    return shop.warehouse.one(duckdb_sql(count_query(analysis, shop.catalog)), {"as_of": AS_OF})[0]


ORDERS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 900), st.decimals("-50", "5000", places=2), st.sampled_from("ABCDE")),
    min_size=1,
    max_size=60,
)


@settings(max_examples=examples(5))
@given(ORDERS)
def test_the_parts_and_the_rest_are_everyone_with_a_value(opened, orders):
    """Whatever the values, each part's figure is what its condition chooses, and all of them are the coverage."""
    shop = opened()
    shop.define(DEFINED)
    shop.add(
        [_order(who, day, str(spent), store_id=f"it's {store}") for who, day, spent, store in orders] + [_coupon(99)]
    )
    _compute(shop)
    for tag in TAGS:
        held, found = _spread(shop, ROOT, tag)
        assert sum(each.profiles for each in found.parts) + found.rest == held, tag
        for part in found.parts:
            assert _counted(shop, part.condition) == part.profiles, part.condition
        _, told = _spread(shop, READER, tag)
        assert all(each.profiles >= FEWEST for each in told.parts)
        if held >= FEWEST:
            assert sum(each.profiles for each in told.parts) + told.rest == held
            assert told.rest == 0 or told.rest >= FEWEST
        assert (told.least, told.most) == (None, None)
    shop.warehouse.close()


def test_values_are_escaped_in_the_condition_that_chooses_them(shop):
    """A value with a quote in it leads to its own people."""
    shop.define(DEFINED)
    shop.add([_order(1, 3, store_id="it's <b>"), _order(2, 3, store_id="plain")])
    _compute(shop)
    _, found = _spread(shop, ROOT, "store")
    assert {each.condition for each in found.parts} == {"store = 'it''s <b>'", "store = 'plain'"}


def test_numbers_have_round_edges_and_times_have_months(shop):
    """A range begins and ends at round numbers; a month at the first of its days."""
    shop.define(DEFINED)
    shop.add([_order(who, who, str(who * 7)) for who in range(1, 101)])
    _compute(shop)
    _, spent = _spread(shop, ROOT, "spent")
    assert [each.low for each in spent.parts if each.low is not None][:3] == [0, 100, 200]
    assert (spent.least, spent.median, spent.mean, spent.most) == (7, 353.5, 353.5, 700)
    _, last = _spread(shop, ROOT, "last_at")
    assert last.shape == "months"
    assert {each.since.day for each in last.parts if each.since} == {1}


def test_a_viewer_of_a_unit_is_told_of_its_people_alone(shop):
    """Coverage and distribution count the people of the viewer's units."""
    shop.define(DEFINED)
    shop.add([_order(who, 3, store_id="A") for who in range(1, 8)])
    _compute(shop)
    part = replace(ROOT, units=frozenset({1}))
    held = tag_facts.coverages(shop.warehouse, part, ["store"])["store"]
    assert (held.profiles, held.with_value) == (3, 3)
    found = distribution(shop.warehouse, shop.catalog, part, "store", with_value=3, as_of=AS_OF)
    assert [(each.value, each.profiles) for each in found.parts] == [("A", 3)]


def test_lineage_is_closed_both_ways(shop):
    """Whatever a tag is said to read says that the tag reads it, and the other way round."""
    shop.define(DEFINED)
    of_tags, of_audiences = texts_understood(
        {each.tag: each.value for each in shop.applied.of("tag")},
        {each.audience: each.who for each in shop.applied.of("audience")},
        shop.catalog,
    )
    uses = [Use(kind="journey", name="thanks", tags=frozenset({"orders"}), audiences=frozenset({"heavy"}))]
    reads = reading(of_tags, of_audiences, uses)
    graphs = {name: lineage(name, reads) for name in TAGS}
    for name, graph in graphs.items():
        for node in graph.nodes:
            if node.kind == "tag" and node.steps < 0:
                assert any(
                    (each.kind, each.name) == ("tag", name) for each in graphs[node.name].nodes if each.steps > 0
                )
            if node.kind == "tag" and node.steps > 0:
                assert any(
                    (each.kind, each.name) == ("tag", name) for each in graphs[node.name].nodes if each.steps < 0
                )
    assert {each.target for each in graphs["orders"].edges if each.source == ("tag", "orders")} == {
        ("tag", "often"),
        ("journey", "thanks"),
    }
    assert ("event", "Order Completed") in {(each.kind, each.name) for each in graphs["fifth"].nodes}


def test_kinds_come_from_the_tree(shop):
    """A rank looks at everyone, an aggregate at events, an expression at other names."""
    shop.define(DEFINED)
    of_tags, _ = texts_understood({each.tag: each.value for each in shop.applied.of("tag")}, {}, shop.catalog)
    kinds = {name: tag_facts.kind_of(each) for name, each in of_tags.items()}
    assert (kinds["fifth"], kinds["orders"], kinds["often"]) == ("rank", "aggregate", "expression")


def test_measuring_writes_nothing_and_counts_what_it_read(shop):
    """The cost names people and events, and every table is as it was."""
    shop.define(DEFINED)
    shop.add([_order(who, 3) for who in range(1, 8)] + [_coupon(9)])
    _compute(shop)
    before = shop.table("tags")
    of_tags, _ = texts_understood({each.tag: each.value for each in shop.applied.of("tag")}, {}, shop.catalog)
    spent = tag_facts.measure(shop.warehouse, shop.catalog, "spent", of_tags["spent"], as_of=AS_OF)
    assert (spent.profiles, spent.events) == (8, 7)
    often = tag_facts.measure(shop.warehouse, shop.catalog, "often", of_tags["often"], as_of=AS_OF)
    assert (often.profiles, often.with_value, often.events) == (8, 8, 0)
    assert shop.table("tags") == before


def test_a_statement_over_its_limit_is_stopped(shop):
    """What would run for minutes is interrupted, the error says what was asked, and the lane still answers."""
    with (
        pytest.raises(TooSlow, match="the tag `spent` was not done"),
        limited(shop.warehouse, 0.2, said="the tag `spent` was not done"),
    ):
        shop.warehouse.value("select count(*) from range(200000) a, range(200000) b where hash(a.range, b.range) = 1")
    assert shop.warehouse.value("select 1") == 1
