"""Ranks are taken out of a value: its inputs and ranks become columns, the rest reads them."""

from __future__ import annotations

from spira.segment.analysed import analyse_tag
from spira.segment.conditions.catalog import Catalog, EventSchema
from spira.segment.ranks import has_ranks, split

CATALOG = Catalog(events={"Order": EventSchema(properties={"revenue": "money"})}, tags={"orders": "integer"})


def _tree(text):
    found = analyse_tag(text, CATALOG)
    assert found.faults == ()
    return found.tree


def test_a_value_that_is_one_rank_is_that_column():
    """`quintile(x)` is a rank over a hidden input, and the value reads it as it is."""
    found = split(_tree("quintile(sum_of(revenue, 'Order'))"))
    (rank,) = found.ranks
    assert rank.value == "sum_of(revenue, 'Order')"
    assert rank.text == f"quintile({rank.input})"
    assert found.text == rank.column
    assert found.whole == rank


def test_ranks_within_a_value_are_replaced_where_they_stand():
    """What surrounds a rank stays, and equal ranks are worked out once."""
    text = "case when quintile(orders) = 5 then 'top' when ntile((orders) + 1, n => 3) = 1 then 'low' end"
    found = split(_tree(f"coalesce({text}, case when quintile(orders) = 5 then 'never' end)"))
    quintile, third = found.ranks
    assert (quintile.value, third.value) == ("orders", "orders + 1")
    assert third.text == f"ntile({third.input}, n => 3)"
    assert found.whole is None
    assert found.text == (
        f"coalesce(case when {quintile.column} = 5 then 'top' when {third.column} = 1 then 'low' end, "
        f"case when {quintile.column} = 5 then 'never' end)"
    )


def test_a_value_without_ranks_is_left_alone():
    """Behaviours and names are no ranks."""
    tree = _tree("orders + count_of('Order')")
    assert not has_ranks(tree)
    assert split(tree).ranks == ()
