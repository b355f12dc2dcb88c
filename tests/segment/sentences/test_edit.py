"""Editing by sentences: what is changed is changed, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.expressions import condition
from tests.segment.conditions.world import catalog

from spira.segment.conditions.catalog import Catalog, EventSchema
from spira.segment.conditions.language import analyse
from spira.segment.conditions.parser import parse
from spira.segment.conditions.tree import Node
from spira.segment.sentences.edit import added, changed, narrowed, placed, removed
from spira.segment.sentences.offers import filter_of, fresh, offers
from spira.segment.sentences.rows import rows_of

SHOP = Catalog(
    events={
        "Order Completed": EventSchema(properties={"revenue": "money"}, arrays={"products": {"department": "text"}}),
        "Product Viewed": EventSchema(properties={"category": "text"}),
    },
    tags={"lifecycle": "text", "orders": "integer", "loyal": "boolean", "last_order_at": "time", "born": "date"},
    traits={"city": "text"},
    scores={"churn": "number"},
    audiences=frozenset({"vip"}),
)
TEXT = "lifecycle = 'repeat' and (orders >= 3 or did('Order Completed', within => '30 days')) and city = '青岛'"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"r.0:value": "new"}, "lifecycle = 'new'"),
        ({"r.0:op": "in", "r.0:value": "a， b"}, "lifecycle in ('a', 'b')"),
        ({"r.1.0:op": "between", "r.1.0:value": "-2", "r.1.0:upper": "7.5"}, "orders between -2 and 7.5"),
        ({"r.1.1:not": "yes"}, "not did('Order Completed', within => '30 days')"),
        ({"r.1.1:window": "before", "r.1.1:ending_n": "1", "r.1.1:ending_unit": "weeks"}, "ending => '1 week'"),
        ({"r.1.1:at_least": "3"}, "within => '30 days', at_least => 3"),
        ({"r.1:join": "none"}, "not (orders >= 3 or did('Order Completed', within => '30 days'))"),
        ({"r:join": "any"}, "or city = '青岛'"),
        ({"r.2:op": "is null"}, "city is null"),
        ({"r.2:value": "it's"}, "city = 'it''s'"),
        ({"r.1.0:value": "many"}, "orders >= 'many'"),
    ],
)
def test_a_word_that_was_changed_is_the_only_change(words, expected):
    """Each change is found in the text, and the other conditions stand there as before."""
    made = changed(TEXT, words, SHOP)
    assert expected in " ".join(made.split())
    for kept in ("lifecycle", "orders", "Order Completed", "city"):
        assert kept in made


@pytest.mark.parametrize("what", [each.what for each in offers(SHOP)])
def test_whatever_is_offered_is_a_good_condition_at_once(what):
    """Each offer, added to nothing, to a group and beside a single condition, gives a condition without faults."""
    node = fresh(what, SHOP, value="x")
    assert node is not None
    for text, path in (("", "r"), (TEXT, "r"), (TEXT, "r.1"), (TEXT, "r.0+"), (TEXT, "r.1.0+")):
        made = added(text, path, node)
        assert analyse(made, SHOP, expect="boolean").faults == (), made


def test_no_sum_of_ids_is_offered():
    """What Spira's own events number is not summed; what a brand adds to such an event is."""
    opened = EventSchema(properties={"delivery_id": "integer", "tip": "money"})
    told = {each.what for each in offers(Catalog(events={"Email Opened": opened}))}
    assert {each for each in told if each.startswith("sum_of")} == {"sum_of:Email Opened:tip"}


@pytest.mark.parametrize("what", ["tag:city", "did:Nothing", "audience:none", "sum_of:Order Completed:order", "x", ""])
def test_what_is_not_on_offer_is_not_made(what):
    """A form that is older than the definitions, or made by hand, adds nothing."""
    assert fresh(what, SHOP) is None


def test_a_detail_belongs_to_its_event():
    """A condition about the event joins the others inside its function."""
    text = "did('Order Completed', within => '30 days')"
    made = narrowed(text, "r.0", filter_of("Order Completed", "products.department", SHOP, value="tea"))
    assert made == "did('Order Completed', products.department = 'tea', within => '30 days')"
    assert removed(made, "r.0.f0") == text
    assert filter_of("Order Completed", "nothing", SHOP) is None


def test_a_group_of_one_is_no_group():
    """Taking out the second of two leaves the first without brackets; taking out the last leaves nothing."""
    assert removed("a = 1 and (b = 2 or c = 3)", "r.1.0") == "a = 1 and c = 3"
    assert removed("a = 1 and b = 2", "r.0") == "b = 2"
    assert removed("a = 1", "r.0") == ""
    assert removed("not (a = 1 or b = 2)", "r.1") == "not a = 1"


def test_an_alternative_is_the_opposite_of_the_group_around_it():
    """Beside a condition that must hold stands one that may instead; inside alternatives, one that must as well."""
    node = fresh("tag:orders", SHOP)
    assert added("city = 'a' and lifecycle = 'b'", "r.0+", node) == "(city = 'a' or orders >= 1) and lifecycle = 'b'"
    assert added("city = 'a' or lifecycle = 'b'", "r.0+", node) == "city = 'a' and orders >= 1 or lifecycle = 'b'"


def test_a_text_that_can_not_be_read_is_kept_for_its_author():
    """A broken row of free text goes into the whole as it was typed."""
    made = changed("orders * 2 > 4 and city = 'a'", {"r.0:text": "orders * > 4"}, SHOP)
    assert "(orders * > 4)" in made
    assert not isinstance(parse(made), Node)


@given(condition("profile", depth=2), st.data())
def test_moving_about_keeps_every_condition(text, data):
    """Reordering a group changes neither how many conditions there are nor what each says."""
    tree = parse(text)
    assert isinstance(tree, Node)
    root = rows_of(tree)
    here = data.draw(st.integers(0, len(root.parts) - 1))
    there = data.draw(st.integers(0, len(root.parts) - 1))
    made = placed(text, f"r.{here}", there)
    again = parse(made)
    assert isinstance(again, Node)
    if len(root.parts) > 1:
        assert sorted(each.text for each in rows_of(again).parts) == sorted(each.text for each in root.parts)


@given(condition("profile", depth=2), st.data())
def test_adding_and_taking_out_again_is_nothing(text, data):
    """A condition that is added at the end and removed leaves the same condition."""
    tree = parse(text)
    assert isinstance(tree, Node)
    if rows_of(tree).fields["join"] != "all":
        return
    what = data.draw(st.sampled_from([each.what for each in offers(catalog()) if each.what != "text"]))
    made = added(text, "r", fresh(what, catalog(), value="x"))
    assert parse(removed(made, f"r.{len(rows_of(tree).parts)}")) == tree


def test_a_funnel_gets_and_loses_steps_in_place():
    """A step chosen in the empty place is one more, an emptied one is left out, and a limit changes for another."""
    text = "funnel('A', 'B', gap => '1 day') >= 2"
    longer = changed(text, {"r.0:step_more": "C"}, SHOP)
    assert longer == "funnel('A', 'B', 'C', gap => '1 day') >= 2"
    assert changed(longer, {"r.0:step_2": "", "r.0:limit": "total", "r.0:value": "1"}, SHOP) == (
        "funnel('A', 'C', total => '1 day') >= 1"
    )
