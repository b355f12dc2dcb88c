"""Choosing: what is asked of many batches is written once, and is that of the day."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

import spira.engage.destinations.tables  # noqa: F401  (the house makes them)
from spira.engage.destinations.choosing import _chosen, _of_the_day, counts
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.reach import Rules
from spira.kernel.clock import local
from spira.testing.houses import House
from spira.unify.personal import ABROAD, EVERY

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
        before = _chosen(True, "personalised_ads", "", "Ads", rules)
        _chosen(True, "marketing", "email", "", rules)
    assert _chosen.cache_info().misses == 2
    after = _chosen(True, "personalised_ads", "", "Ads", _of_the_day(Rules(as_of=datetime(2026, 6, 2))))
    assert ("2026-06-01" in before[0], "2026-06-02" in after[0]) == (True, True)


def test_a_destination_abroad_asks_for_the_consent_to_that():
    """
    Of two members one agreed that their data go abroad: who is abroad gets that one, and who is at home gets both.
    """
    rules = Rules(as_of=datetime(2026, 6, 1), asking=frozenset({"Mailer"}))
    told = {"destination": "lake", "kind": "files", "address": "lake", "audience": "loyal", "fields": {"id": "id"}}
    with House() as house:
        for profile in (1, 2):
            house.put("profiles", profile_id=profile)
            house.put("members", profile_id=profile, audience="loyal", since=rules.as_of)
        house.put("permissions", profile_id=1, purpose=ABROAD, channel=EVERY, granted=True)
        for recipient, people in (("Mailer", 1), ("Post", 2), ("", 2)):
            model = DestinationDefinition.model_validate({**told, "purpose": "analysis", "recipient": recipient})
            assert counts(house.warehouse, model, rules) == {"added": people}
