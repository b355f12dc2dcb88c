"""Paths and values: where things stand in a call, what is made of them, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.hooks.paths import BadPath, Called, Unmapped, check_value, find, read_path, value

CALL = Called(
    body={
        "order": {"id": 7, "total": "19.90", "lines": [{"sku": "a", "n": 1}, {"sku": "b"}], "odd key": True},
        "at": 1614265330,
        "null": None,
        "name": "净水器",
    },
    headers={"x-event": "paid"},
    query={"shop": "1"},
    item={"sku": "c"},
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.order.id", 7),
        ("$.order.lines[0].sku", "a"),
        ("$.order.lines[-1].sku", "b"),
        ("$.order.lines[9].sku", None),
        ('$.order["odd key"]', True),
        ("$.order['odd key']", True),
        ("$headers.X-Event", "paid"),
        ('$headers["x-event"]', "paid"),
        ("$query.shop", "1"),
        ("@.sku", "c"),
        ("@", {"sku": "c"}),
        ("$.nothing.at.all", None),
        ("$.order.id.deeper", None),
        ("$.name[0]", None),
        ("$.order[0]", None),
        ("$", CALL.body),
    ],
)
def test_a_path_leads_to_a_part_or_to_nothing(path, found):
    """Names, places, headers, the query and the item in hand; a wrong turn is nothing and no fault."""
    assert find(path, CALL) == found


@pytest.mark.parametrize("text", ["order.id", "$..id", "$.a[*]", "$.a[?(@.b)]", "$.", "$.a b", "@@", "$.a[", '$.a["]'])
def test_what_is_no_path_is_refused_before_it_is_used(text):
    """Wild cards, filters and scripts are no paths."""
    with pytest.raises(BadPath):
        read_path(text)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("plain", "plain"),
        ("$$5 off", "$5 off"),
        (5, 5),
        (False, False),
        ("$.order.id", 7),
        ("order-{$.order.id}-{@.sku}", "order-7-c"),
        ("order-{$.nothing}", None),
        ("a {brace}", "a {brace}"),
        ({"path": "$.order.total", "as": "number"}, Decimal("19.90")),
        ({"path": "$.order.id", "as": "text"}, "7"),
        ({"path": ["$.nothing", "$.order.id"]}, 7),
        ({"path": "$.nothing", "default": "none"}, "none"),
        ({"path": "$.at", "as": "time"}, "2021-02-25T15:02:10.000Z"),
        ({"path": "$headers.x-event", "values": {"paid": "Order Completed"}}, "Order Completed"),
        ({"path": "$headers.x-event", "values": {"other": 1}, "other": "keep"}, "paid"),
        ({"value": "$.not a path"}, "$.not a path"),
        ({"a": "$.order.id", "b": "$.nothing"}, {"a": 7}),
        (["$.order.id", "x"], [7, "x"]),
        ({"each": "$.order.lines", "fields": {"product_id": "@.sku", "n": {"path": "@.n", "default": 1}}},
         [{"product_id": "a", "n": 1}, {"product_id": "b", "n": 1}]),
        ({"each": "$.nothing", "fields": {"a": "@"}}, []),
    ],
)  # fmt: skip
def test_a_value_is_made_as_it_is_written(written, found):
    """Constants, paths, texts with paths, conversions, choices, objects and lists of lines."""
    check_value(written)
    assert value(written, CALL) == found


@pytest.mark.parametrize(
    "written",
    [
        {"path": "$.name", "as": "number"},
        {"path": "$.order", "as": "text"},
        {"path": "$.order.total", "as": "integer"},
        {"path": "$.name", "as": "boolean"},
        {"path": "$.name", "as": "time"},
        {"path": "$.nothing", "required": True},
        {"path": "$headers.x-event", "values": {"other": 1}},
        {"each": "$.order", "fields": {}},
    ],
)
def test_what_a_value_cannot_be_is_told(written):
    """A conversion that fails, a thing that is needed and not there, a word that is not known."""
    with pytest.raises(Unmapped):
        value(written, CALL)


@pytest.mark.parametrize(
    "written",
    [
        "$.a[*]",
        "text {$..a}",
        {"path": "nothing"},
        {"path": "$.a", "typo": 1},
        {"path": "$.a", "as": "money"},
        {"each": "$.a"},
        {"path": "$.a", "values": []},
        {"deep": [{"deeper": "$["}]},
    ],
)
def test_a_value_that_is_written_wrongly_is_refused(written):
    """Faults are found when the definition is read, and not when the first call comes."""
    with pytest.raises(BadPath):
        check_value(written)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(JSON, st.sampled_from(["text", "integer", "number", "boolean", "time"]))
def test_no_body_stops_a_value(body, kind):
    """Whatever a call holds, a value is made of it or it is told that it can't be."""
    with suppress(Unmapped):
        value({"path": "$", "as": kind}, Called(body=body))
