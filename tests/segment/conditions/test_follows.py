"""`followed` and `funnel` over crowded histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.asking import RELAXED, computed, understood
from tests.segment.conditions.expressions import followed, funnel
from tests.segment.conditions.naive import Naive
from tests.segment.conditions.world import BOUGHT, COUPON, NOON, SAW, Person, event, fill


@RELAXED
@given(
    st.lists(st.tuples(st.sampled_from([SAW, BOUGHT, COUPON]), st.integers(-2, 12)), max_size=30),
    st.lists(followed(), min_size=1, max_size=4),
)
def test_followed_agrees_with_trying_every_pair(warehouse, history, texts):
    """
    However many events share an hour, the statement finds a pair just when trying all of them finds one.
    """
    person = Person(id=1, events=[event(name, hours, id=number) for number, (name, hours) in enumerate(history)])
    fill(warehouse, [person, Person(id=2, events=[])])
    columns = {f"c{number}": understood(text) for number, text in enumerate(texts)}
    row = computed(warehouse, columns)[1]
    for name, analysis in columns.items():
        assert row[name] is Naive(person, NOON, "UTC").value(analysis.tree), (analysis.text, row)


@RELAXED
@given(
    st.lists(st.tuples(st.sampled_from([SAW, BOUGHT, COUPON]), st.integers(-2, 12)), max_size=20),
    funnel(),
    st.sampled_from(["=", ">=", ">"]),
    st.integers(0, 5),
)
def test_a_funnel_compared_with_a_step_is_as_far_as_it_is_alone(warehouse, history, text, op, step):
    """
    Who never took the step that is asked for is left out first: the answer is the one that the step gives itself.
    """
    person = Person(id=1, events=[event(name, hours, id=number) for number, (name, hours) in enumerate(history)])
    fill(warehouse, [person, Person(id=2, events=[])])
    asked = {"step": understood(text), "holds": understood(f"{text} {op} {step}")}
    for row in computed(warehouse, asked).values():
        compared = {"=": row["step"] == step, ">=": row["step"] >= step, ">": row["step"] > step}
        assert row["holds"] is compared[op], (text, op, step, row)
