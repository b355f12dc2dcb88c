"""Rows: every condition can be read as sentences, and nothing of it is lost in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.every import EVERY
from tests.segment.conditions.expressions import condition
from tests.segment.conditions.world import catalog

from spira.segment.conditions.language import analyse
from spira.segment.conditions.parser import parse
from spira.segment.conditions.tree import Node
from spira.segment.sentences.build import node_of
from spira.segment.sentences.edit import changed
from spira.segment.sentences.rows import as_group, filters_of, row_of, rows_of


def every_row(row):
    yield row
    for each in (*row.filters, *row.parts):
        yield from every_row(each)


def words(row):
    """Every word of every row as a form sends it back, untouched."""
    told = {f"{each.path}:{name}": value for each in every_row(row) for name, value in each.fields.items()}
    return told | {f"{each.path}:not": "yes" if each.negated else "" for each in every_row(row)}


def read(text):
    tree = parse(text)
    assert isinstance(tree, Node)
    return tree


@pytest.mark.parametrize("text", EVERY)
def test_words_that_come_back_untouched_change_nothing(text):
    """A form sent as it was drawn leaves the text letter for letter, for every function there is."""
    assert changed(text, words(rows_of(read(text))), catalog()) == text


@given(st.one_of(condition("profile", depth=2), condition("profile", depth=1)))
def test_any_condition_comes_back_untouched(text):
    """The same is true of conditions made at random."""
    assert changed(text, words(rows_of(read(text))), catalog()) == text


@given(condition("profile", depth=2))
def test_a_row_made_anew_from_its_words_says_the_same(text):
    """Every single sentence that is put together from its own words is the tree that it was read off."""

    def check(node, path, event=None):
        row = row_of(node, path)
        if row.kind == "group":
            inner = getattr(node, "operand", node)
            for place, each in enumerate(inner.operands):
                check(each, f"{path}.{place}")
            return
        for place, each in enumerate(filters_of(node)):
            check(each, f"{path}.f{place}", row.fields.get("event"))
        fields = {**row.fields, "not": "yes" if row.negated else ""} | ({"event": event} if event else {})
        assert node_of(row, fields, filters_of(node), node, catalog=catalog()) == node

    check(as_group(read(text)), "r")


def test_a_fault_lies_in_the_row_that_has_it():
    """The place of a fault leads to the innermost sentence around it."""
    text = "city = 'a' and did('Order Completed', nonsense = 'x') and pieces > 'b'"
    row = rows_of(read(text))
    paths = [row.at(each.start).path for each in analyse(text, catalog(), expect="boolean").faults]
    assert paths[0] == "r.1.f0"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("lifecycle = 'repeat'", ["fact"]),
        ("not did('Order Completed', within => '30 days')", ["did"]),
        ("days_since(last_order_at) > 30", ["age"]),
        ("count_of('Order Completed', within => '30 days', ending => '1 week') >= 2", ["measure"]),
        ("followed('A', 'B', gap => '1 day')", ["followed"]),
        ("in_audience('vip') or not consented('marketing', 'email')", ["member", "consented"]),
        ("active_days('A') >= 3 and streak('A', within => '30 days') > 2", ["measure", "measure"]),
        ("funnel('A', 'B', 'C', gap => '1 day') = 2 or funnel('A', 'B') >= 1", ["funnel", "funnel"]),
        ("bought_with('A', products.x = 'a', products.x = 'b', within => '9 days')", ["together"]),
        ("entered_audience('vip', within => '7 days') and not left_audience('vip')", ["moved", "moved"]),
        ("streak('A', current => true) >= 7 and ago(count_of('A'), '1 day') > 1", ["text", "text"]),
        ("trait('city') = 'x' and most_of(a, 'A', half_life => '1 day') = 'x'", ["text", "text"]),
        ("orders * 2 > 4 and (a = 1 or b = 2)", ["text", "group"]),
        ("did('A', within => '30 days', since => '2026-01-01')", ["text"]),
        ("city in ('a, b', 'c')", ["text"]),
    ],
)
def test_what_has_a_sentence_gets_one_and_the_rest_is_text(text, kinds):
    """Usual conditions have sentences of their own; whatever has none is shown as it is written."""
    assert [each.kind for each in rows_of(read(text)).parts] == kinds
