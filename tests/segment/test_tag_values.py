"""What values are called, and which values an expression can give."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.segment import conftest as small

from spira.definitions.apply import Applied
from spira.segment import tags
from spira.segment.analysed import analyse_tag
from spira.segment.tag_values import labels_of, possible, written

KNOWN = [
    ("case when orders > 3 then 'many' when orders > 0 then 'few' else 'none' end", {"many", "few", "none"}),
    ("case when orders > 3 then 'many' end", {"many"}),
    ("case when orders > 3 then case when orders > 9 then 9 else 4 end else 0 end", {"9", "4", "0"}),
    ("case when orders > 3 then null else 'few' end", {"few"}),
    ("orders > 3", {"true", "false"}),
    ("did('Order Completed')", {"true", "false"}),
    ("quintile(orders)", {"1", "2", "3", "4", "5"}),
    ("coalesce(case when orders > 3 then 'many' end, 'few')", {"many", "few"}),
    ("case when orders > 3 then city else 'few' end", None),
    ("most_of(store_id, 'Order Completed')", None),
    ("orders + 1", None),
]


@pytest.mark.parametrize(("text", "values"), KNOWN)
def test_values_are_known_where_the_expression_shows_them(shop, text, values):
    """A case of fixed results, a condition and a quintile show theirs; what events carry may be anything."""
    shop.define("tag: orders\nvalue: count_of('Order Completed')")
    analysis = analyse_tag(text, shop.catalog)
    assert not analysis.faults
    assert possible(analysis.tree) == (None if values is None else frozenset(values))


@settings(max_examples=examples(15))
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=4),
    st.none() | st.sampled_from(["d", "e"]),
    st.lists(st.integers(0, 5), min_size=1, max_size=5),
)
def test_no_person_has_a_value_that_is_not_among_the_possible(whens, otherwise, orders):
    """Whatever a case says, what a refresh computes is one of the values that were foreseen, or nothing."""
    arms = " ".join(f"when orders >= {least} then '{value}'" for least, value in whens)
    rest = f" else '{otherwise}'" if otherwise else ""
    shop = small.open_shop()
    try:
        shop.define(f"tag: orders\nvalue: count_of('Order Completed')\n---\ntag: shown\nvalue: case {arms}{rest} end")
        shop.add(
            [
                {"person": person, "event": "Order Completed", "ts": small.START}
                for person, count in enumerate(orders, 1)
                for _ in range(count)
            ]
            or [{"person": 1, "event": "Coupon Applied", "ts": small.START}]
        )
        tags.compute(shop.warehouse, shop.applied, shop.catalog, small.START + timedelta(days=1))
        found = {value for (value,) in shop.warehouse.query("select shown from tags where shown is not null")}
        assert found <= possible(analyse_tag(f"case {arms}{rest} end", shop.catalog).tree)
    finally:
        shop.warehouse.close()


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (7, "7"), (Decimal("0.2500"), "0.25"), (2.0, "2"), ("DRUG GM", "DRUG GM")]
)
def test_a_value_is_written_as_its_label_is(value, text):
    """Numbers without needless zeros, truths in small letters, texts as they are."""
    assert written(value) == text


def test_labels_are_those_of_the_applied_definition(shop):
    """Keys may be numbers in the file; a tag without labels, or one that is not applied, has none."""
    shop.define(
        "tag: fifth\nvalue: quintile(count_of('Order Completed'))\nvalues: {1: {zh-CN: 一, en: One}}\n"
        "---\ntag: bare\nvalue: '1'"
    )
    assert labels_of(shop.applied, "fifth") == {"1": {"zh-CN": "一", "en": "One"}}
    assert labels_of(shop.applied, "bare") == labels_of(Applied(generation=0), "fifth") == {}
