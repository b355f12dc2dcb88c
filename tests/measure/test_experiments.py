"""The statistics of a holdout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.measure.experiments import Arm, difference, newcombe, wilson


def test_newcombe_agrees_with_the_published_example():
    """
    Newcombe's paper (1998, table II, example a) gives 56/70 against 48/80 the interval 0.0524 to 0.3339.
    """
    low, high = newcombe(Arm(profiles=70, reached=56), Arm(profiles=80, reached=48))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_newcombe_agrees_with_the_published_example_at_the_edge():
    """
    The paper's example with an empty cell, 10/10 against 0/20, gives 0.6791 to 1.
    """
    low, high = newcombe(Arm(profiles=10, reached=10), Arm(profiles=20, reached=0))
    assert (round(low, 4), round(high, 4)) == (0.6791, 1.0)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_an_interval_holds_the_difference_and_stays_within_bounds(first, second, data):
    """
    Whatever the counts, the interval contains the observed difference and lies in [-1, 1].
    """
    treated = Arm(profiles=first, reached=data.draw(st.integers(0, first)))
    held = Arm(profiles=second, reached=data.draw(st.integers(0, second)))
    found = difference(treated, held)
    assert -1 - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1 + 1e-9


def test_small_groups_earn_no_claim():
    """
    Below thirty people in a group the verdict is that there are too few, however large the gap looks.
    """
    assert difference(Arm(profiles=400, reached=200), Arm(profiles=29, reached=0)).verdict == "too_few"


def test_nobody_held_out_gives_no_number():
    """
    Without a holdout there is nothing to subtract, and no number is shown.
    """
    found = difference(Arm(profiles=10, reached=5), Arm(profiles=0, reached=0))
    assert (found.value, found.low, found.verdict) == (None, None, "too_few")


def test_clear_effects_are_named():
    """
    An interval wholly above zero is better, wholly below is worse, and across zero is no difference.
    """
    many, few = Arm(profiles=1000, reached=600), Arm(profiles=1000, reached=400)
    assert difference(many, few).verdict == "better"
    assert difference(few, many).verdict == "worse"
    assert difference(many, many).verdict == "no_difference"


def test_wilson_of_nobody_is_all_we_know():
    """
    Of no observations the share may be anything.
    """
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
