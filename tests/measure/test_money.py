"""Means of money: Welch's interval, and when nothing is claimed."""

from math import sqrt
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.measure.money import COCHRAN, MoneyArm, money_difference, student, welch

AMOUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=60)


def arm(amounts: list[float], *, skewness: float | None = 0.5) -> MoneyArm:
    """The group of people who paid `amounts`."""
    return MoneyArm(
        people=len(amounts),
        paying=sum(1 for each in amounts if each),
        total=sum(amounts),
        mean=fmean(amounts),
        deviation=stdev(amounts),
        skewness=skewness,
    )


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(8, 2.3060), (10, 2.2281), (30, 2.0423), (60, 2.0003), (120, 1.9799), (1e9, 1.9600)]
)
def test_the_quantile_is_that_of_the_printed_tables(freedom, quantile):
    """Student's t at 97.5 % agrees with the tables to the third decimal."""
    assert student(freedom) == pytest.approx(quantile, abs=0.0006)


def test_welch_agrees_with_the_published_example():
    """Two samples of unequal spread, worked out in many textbooks: t is −2.84 at 27.9 degrees of freedom."""
    one = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4]
    two = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.0, 23.9]
    low, high = welch(arm(one), arm(two))
    error = sqrt(stdev(one) ** 2 / 15 + stdev(two) ** 2 / 15)
    assert ((low + high) / 2) == pytest.approx(fmean(one) - fmean(two))
    assert ((low + high) / 2) / error == pytest.approx(-2.84, abs=0.05)
    assert (high - low) / 2 / error == pytest.approx(2.0485, abs=0.001)  # the quantile at 27.9


@given(AMOUNTS, AMOUNTS)
def test_the_interval_holds_the_difference_and_turns_with_the_groups(one, two):
    """Whatever was paid, the difference lies inside, and changing the groups over changes the sign only."""
    low, high = welch(arm(one), arm(two))
    gap = fmean(one) - fmean(two)
    assert low - 1e-6 <= gap <= high + 1e-6
    assert welch(arm(two), arm(one)) == pytest.approx((-high, -low))


def test_a_clear_difference_is_named_with_what_it_brought_in():
    """The total is the difference per person for everyone treated, and its interval likewise."""
    found = money_difference(arm([40.0, 50.0, 60.0] * 100), arm([10.0, 20.0, 30.0] * 20))
    assert found.verdict == "better"
    assert found.value == pytest.approx(30)
    assert found.total == pytest.approx(30 * 300)
    assert found.total_low == pytest.approx(found.low * 300)
    assert found.more_needed is None
    assert money_difference(arm([10.0, 20.0] * 50), arm([40.0, 50.0] * 20)).verdict == "worse"


def test_small_groups_earn_no_claim():
    """Below thirty people in a group nothing is claimed, however large the gap, and it is said how many it takes."""
    found = money_difference(arm([90.0, 100.0] * 100), arm([1.0, 2.0] * 10))
    assert found.verdict == "too_few"
    assert found.more_needed == 30 * 11 - 220


def test_one_large_order_earns_no_claim():
    """Where a group has fewer people than Cochran's rule asks for its skewness, nothing is claimed."""
    uneven = money_difference(arm([90.0, 100.0] * 100, skewness=3), arm([1.0, 2.0] * 100))
    assert uneven.verdict == "too_uneven"
    assert uneven.more_needed == 2 * COCHRAN * 9 - 400
    assert money_difference(arm([90.0, 100.0] * 113, skewness=3), arm([1.0, 2.0] * 113)).verdict == "better"


def test_nobody_paying_is_no_evidence_of_no_difference():
    """Two groups in which nobody paid have no spread, and so no interval to speak of."""
    found = money_difference(arm([0.0] * 50, skewness=None), arm([0.0] * 50, skewness=None))
    assert (found.verdict, found.more_needed) == ("too_uneven", None)


def test_an_empty_group_gives_no_number():
    """Without anybody held out there is nothing to subtract."""
    found = money_difference(arm([1.0, 2.0]), MoneyArm())
    assert (found.value, found.total_low, found.verdict) == (None, None, "too_few")


def test_a_difference_that_is_not_seen_says_how_many_would_show_it():
    """Twice as small a difference takes about four times as many people."""
    one = money_difference(arm([40.0, 60.0] * 100), arm([38.0, 58.0] * 20))
    half = money_difference(arm([40.0, 60.0] * 100), arm([39.0, 59.0] * 20))
    assert one.verdict == half.verdict == "no_difference"
    assert (half.more_needed + 240) / (one.more_needed + 240) == pytest.approx(4, abs=0.01)
