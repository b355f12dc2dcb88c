"""Choosing: what is asked of many batches is written once, and is that of the day."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from spira.engage.destinations.choosing import _chosen, _of_the_day
from spira.engage.reach import Rules
from spira.kernel.clock import local

ZONES = ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "Asia/Kolkata", "America/St_Johns", "Australia/Eucla"]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.sampled_from(ZONES))
def test_rules_of_a_quarter_of_an_hour_are_those_of_its_day(at, zone):
    """
    Whatever the zone, its day begins where a quarter does.
    """
    kept = _of_the_day(Rules(as_of=at, zone=zone))
    assert kept.as_of <= at
    assert local(kept.as_of, zone).date() == local(at, zone).date()


def test_many_batches_ask_by_one_text():
    """
    Written for the first batch of a quarter of an hour, and not for those that follow; a new day asks anew.
    """
    _chosen.cache_clear()
    for minute in range(14):
        rules = _of_the_day(Rules(as_of=datetime(2026, 6, 1, 23, 45 + minute)))
        before = _chosen(True, "personalised_ads", "", rules)
        _chosen(True, "marketing", "email", rules)
    assert _chosen.cache_info().misses == 2
    after = _chosen(True, "personalised_ads", "", _of_the_day(Rules(as_of=datetime(2026, 6, 2))))
    assert ("2026-06-01" in before[0], "2026-06-02" in after[0]) == (True, True)
