from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.unify.test_joining import COOKIE, PHONE, SIZE, USER, graph_of

from spira.unify.joining import Joined, join
from spira.unify.likely import Likely, Placed, join_likely

END = st.integers(0, SIZE - 1)
PAIRS = st.lists(st.tuples(END, END, st.floats(-2, 12)), max_size=12)
KINDS = st.lists(st.sampled_from([USER, COOKIE, PHONE]), min_size=SIZE, max_size=SIZE)


def placed(graph, pairs, *, join_at=6.0, apart=()) -> Placed:
    one, two, weight = ([each[at] for each in pairs] for at in range(3))
    likely = Likely(
        one=np.array(one, np.int32),
        two=np.array(two, np.int32),
        weight=np.array(weight, np.float64),
        join_at=np.full(len(pairs), join_at),
        apart=np.array(apart, np.int32).reshape(-1, 2),
    )
    return join_likely(graph, join(graph), likely)


def shown(found: Placed | Joined) -> set[frozenset[int]]:
    labels = found.person.tolist()
    return {frozenset(at for at, label in enumerate(labels) if label == each) for each in labels}


@settings(max_examples=examples(40), deadline=None)
@given(KINDS, st.lists(st.tuples(END, END), max_size=5), PAIRS, st.randoms(use_true_random=False))
def test_who_is_likely_one_is_a_function_of_people_and_pairs(kinds, links, pairs, chance):
    """
    The order of pairs is nothing, no two values of a unique kind meet by them, and without them people are as before.
    """
    graph = graph_of(kinds, links)
    before = shown(join(graph))
    after = shown(placed(graph, pairs))
    mixed = [(two, one, weight) for one, two, weight in pairs]
    chance.shuffle(mixed)
    assert shown(placed(graph, mixed)) == after
    assert shown(placed(graph, [])) == before
    users = {each for each, kind in enumerate(kinds) if kind is USER}
    torn, was = ({each & users for each in which if len(each & users) > 1} for which in (after, before))
    assert torn <= was
    assert all(any(each <= whole for whole in after) for each in before)


def test_two_accounts_are_told_as_a_conflict():
    """
    A pair that two user ids forbid joins nobody, and says who contradicts whom.
    """
    found = placed(graph_of([USER, USER], []), [(0, 1, 11.0)])
    assert shown(found) == {frozenset([0]), frozenset([1])}
    assert [(each.reason, each.kind, each.one, each.two) for each in found.conflicts] == [("likely", "user_id", 0, 1)]


def test_a_chain_of_resemblances_pulls_nobody_together():
    """
    The first and the last of a chain whom nothing brought together stay apart; three that all agree are one.
    """
    graph = graph_of([COOKIE] * 3, [])
    assert len(shown(placed(graph, [(0, 1, 7.0), (1, 2, 6.5)]))) == 2
    assert len(shown(placed(graph, [(0, 1, 7.0), (1, 2, 6.5), (0, 2, 4.0)]))) == 1


def test_whom_staff_spoke_against_is_not_joined():
    """
    A pair that staff called different or cut joins nobody, however likely it is.
    """
    graph = graph_of([COOKIE, COOKIE], [])
    assert len(shown(placed(graph, [(0, 1, 12.0)], apart=[(0, 1)]))) == 2
    assert len(shown(placed(graph, [(0, 1, 12.0)]))) == 1
