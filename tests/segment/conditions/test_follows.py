"""`followed` over crowded histories, by both ways in which the engine finds the latest event before another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.asking import RELAXED, computed, understood
from tests.segment.conditions.expressions import followed
from tests.segment.conditions.naive import Naive
from tests.segment.conditions.world import BOUGHT, COUPON, NOON, SAW, Person, event, fill


@pytest.fixture(params=[0, 64], ids=["sorted", "looped"])
def engine(request, warehouse):
    """The warehouse made to sort for every as-of join, and as it is: it loops over so few rows."""
    warehouse.execute(f"set asof_loop_join_threshold = {request.param}")
    yield warehouse
    warehouse.execute("reset asof_loop_join_threshold")


@RELAXED
@given(
    st.lists(st.tuples(st.sampled_from([SAW, BOUGHT, COUPON]), st.integers(-2, 12)), max_size=30),
    st.lists(followed(), min_size=1, max_size=4),
)
def test_followed_agrees_with_trying_every_pair(engine, history, texts):
    """
    However many events share an hour, the statement finds a pair just when trying all of them finds one.
    """
    person = Person(id=1, events=[event(name, hours, id=number) for number, (name, hours) in enumerate(history)])
    fill(engine, [person, Person(id=2, events=[])])
    columns = {f"c{number}": understood(text) for number, text in enumerate(texts)}
    row = computed(engine, columns)[1]
    for name, analysis in columns.items():
        assert row[name] is Naive(person, NOON, "UTC").value(analysis.tree), (analysis.text, row)
