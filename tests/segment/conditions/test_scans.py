"""Scans: what shares one is counted as if it were alone, and what is alone in one is looked at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from tests.segment.conditions.asking import RELAXED, computed, same, understood
from tests.segment.conditions.expressions import expression, people
from tests.segment.conditions.world import catalog, fill

from spira.segment.conditions.query import profiles_query


@RELAXED
@given(people(), st.lists(expression(), min_size=2, max_size=4))
def test_a_value_is_the_same_alone_and_among_others(warehouse, someone, texts):
    """
    Sharing a scan changes no value.
    """
    fill(warehouse, someone)
    columns = {f"c{number}": understood(text) for number, text in enumerate(texts)}
    together = computed(warehouse, columns)
    for name, analysis in columns.items():
        alone = computed(warehouse, {name: analysis})
        for person in someone:
            assert same(alone[person.id][name], together[person.id][name]), analysis.text


@pytest.mark.parametrize(
    "text",
    [
        "count_of('Order Completed') >= 50",
        "sum_of(products.value, 'Order Completed', products.department = 'a', within => '30 days') > 200",
        "did('Order Completed', since => '2026-03-08', until => '2026-03-09', ending => '1 day')",
        "count_of('Order Completed') > 1 and sum_of(revenue, 'Order Completed') > 5",
    ],
)
def test_one_kind_of_events_is_looked_at_once(text):
    """
    Where all behaviours of a scan count the same events, its rows are those and no aggregate tests them again.
    """
    statement = profiles_query({"value": understood(text)}, catalog(), restrict=False, edges=False)
    assert list(statement.find_all(exp.AggFunc))
    assert not list(statement.find_all(exp.Case))


def test_each_name_is_looked_at_as_far_back_as_any_behaviour_of_it_asks():
    """
    Where names differ in how far back they matter, older events of a name leave before anything is grouped.
    """
    text = (
        "count_of('Product Viewed', within => '14 days') > 1 and count_of('Order Completed', within => '90 days') = 0"
    )
    statement = profiles_query({"value": understood(text)}, catalog(), restrict=False, edges=False)
    (way,) = [each for each in statement.find_all(exp.Or) if each.find_ancestor(exp.Where)]
    assert way.sql("duckdb") == (
        """(e."ts" >= (CAST($as_of AS TIMESTAMP) - INTERVAL '14' DAY)) OR """
        """((e."event" = 'Order Completed') AND (e."ts" >= (CAST($as_of AS TIMESTAMP) - INTERVAL '90' DAY)))"""
    )
    alike = text.replace("14", "90")
    statement = profiles_query({"value": understood(alike)}, catalog(), restrict=False, edges=False)
    assert not [each for each in statement.find_all(exp.Or) if each.find_ancestor(exp.Where)]
