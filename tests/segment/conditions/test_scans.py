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
