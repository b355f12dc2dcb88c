"""Dependency order: layers when there are no cycles, the cycle as a path when there are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spira.segment.order import order, show_cycle

NAMES = st.sampled_from("abcdef")


def test_layers_hold_only_what_earlier_layers_need():
    """A tag comes after everything it uses, as early as it can."""
    found = order({"rfm": {"r", "f"}, "r": {"last"}, "f": set(), "last": set()})
    assert found.layers == (("f", "last"), ("r",), ("rfm",))
    assert found.cycles == ()


def test_a_name_from_elsewhere_is_taken_as_known():
    """What is no key of the map needs no layer."""
    assert order({"a": {"city"}}).layers == (("a",),)


def test_a_cycle_is_a_path_that_ends_where_it_begins():
    """The path starts at its first name by the alphabet, whoever leads into it."""
    found = order({"c": {"a"}, "a": {"b"}, "b": {"c"}, "z": {"a"}, "free": set()})
    assert found.layers == (("free",),)
    assert [show_cycle(each) for each in found.cycles] == ["a → b → c → a"]


def test_a_name_that_uses_itself_is_the_shortest_cycle():
    """`a` over `a` is shown as `a → a`."""
    assert order({"a": {"a"}}).cycles == (("a", "a"),)


@given(st.dictionaries(NAMES, st.sets(NAMES)))
def test_every_name_is_ordered_or_stuck_behind_a_cycle(uses):
    """Layers respect every use; and something is left out only when there is a cycle to show."""
    found = order(uses)
    place = {name: index for index, layer in enumerate(found.layers) for name in layer}
    for name, used in uses.items():
        if name in place:
            assert all(place[each] < place[name] for each in used if each in uses)
    assert bool(found.cycles) == (len(place) < len(uses))
    for cycle in found.cycles:
        assert cycle[0] == cycle[-1]
        assert all(after in uses[before] for before, after in pairwise(cycle))
