from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.unify.matching.clusters import components, people


def grouped(edges, rows, **how):
    """The groups that weighted edges make of rows."""
    left, right, weight = (np.array(each) for each in zip(*edges, strict=True)) if edges else (np.array([], int),) * 3
    return people(left, right, weight.astype(float), rows, **{"threshold": 0.0, **how}).tolist()


def test_one_wrong_link_does_not_join_two_people():
    """Two groups of three with a link between them stay two, as all their other pairs disagree."""
    inside = [(0, 1, 9.0), (0, 2, 9.0), (1, 2, 9.0), (3, 4, 9.0), (3, 5, 9.0), (4, 5, 9.0)]
    assert grouped([*inside, (2, 3, 5.0)], 6) == [0, 0, 0, 3, 3, 3]


def test_records_that_belong_together_on_the_whole_are_joined():
    """A pair that was never compared, or that disagrees, is outvoted by the others."""
    assert grouped([(0, 1, 9.0), (1, 2, 9.0), (0, 3, 6.0), (1, 3, 8.0), (2, 3, -2.0)], 4) == [0, 0, 0, 0]


def test_each_source_lists_a_person_once():
    """The better of two links to records of one source is kept."""
    edges = [(0, 2, 5.0), (1, 2, 9.0)]
    assert grouped(edges, 3, source=["a", "a", "b"]) == [0, 1, 1]
    assert grouped([(0, 1, 9.0)], 2, source=["a", "a"]) == [0, 1]


def test_nothing_linked_is_everybody_alone():
    """Rows without an edge above the threshold are people of their own."""
    assert grouped([], 3) == [0, 1, 2]
    assert grouped([(0, 1, -1.0)], 2) == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
@settings(max_examples=examples(40))
def test_components_are_what_can_be_reached(edges):
    """They agree with joining one edge after the other, in any order."""
    name = list(range(12))
    for a, b in edges:
        low, high = sorted((name[a], name[b]))
        name = [low if each == high else each for each in name]
    left, right = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    assert components(left, right, 12).tolist() == name
