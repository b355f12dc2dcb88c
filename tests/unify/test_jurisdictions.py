"""Jurisdictions: what tells where a person is, in its order, and whose rules hold then."""

from __future__ import annotations

import pytest

from spira.testing.houses import NOON
from spira.unify.jurisdictions import AMERICANS_SQL, by_profile, country_of, country_of_number, of_key


def person(desk, subject, *, phone=None, **traits):
    """A person with traits, and a number."""
    desk.house.subject(subject, "user_id")
    desk.house.put("profiles", profile_id=subject)
    for name, value in traits.items():
        desk.house.put("traits", profile_id=subject, name=name, value=value, at=NOON)
    if phone:
        desk.subject(subject + 100, "phone", phone)
        desk.house.put("moved", subject_id=subject + 100, profile_id=subject)


CASES = [
    ({"jurisdiction": "US-CA", "country": "CN", "phone": "+8613912345678"}, ("US", "ccpa", "declared")),
    ({"country": "de", "phone": "+8613912345678"}, ("DE", "gdpr", "address")),
    ({"country": "中国"}, ("CN", "pipl", "address")),
    ({"country": "Atlantis", "phone": "+4915112345678"}, ("DE", "gdpr", "phone")),
    ({"phone": "+12125550123", "time_zone": "Asia/Shanghai"}, ("US", "ccpa", "phone")),
    ({"time_zone": "America/Chicago"}, ("US", "ccpa", "zone")),
    ({"timezone": "Europe/Madrid"}, ("ES", "gdpr", "zone")),
    ({"country": "JP"}, ("JP", "gdpr", "address")),
    ({"timezone": "America/Denver", "time_zone": "Asia/Shanghai"}, ("CN", "pipl", "zone")),
    ({"time_zone": "Nowhere", "timezone": "America/Denver"}, ("US", "ccpa", "zone")),
    ({"time_zone": "America/Denver", "phone": "+8613912345679"}, ("CN", "pipl", "phone")),
    ({"jurisdiction": "somewhere", "country": "\tusa "}, ("US", "ccpa", "address")),
    ({"country": "Atlantis", "time_zone": "America/Denver"}, ("US", "ccpa", "zone")),
    ({"country": "US -x", "jurisdiction": "us-"}, ("US", "ccpa", "declared")),
    ({}, (None, "gdpr", "unknown")),
]


def test_the_first_that_says_something_decides(desk):
    """Declared, then the address, the number, the zone; the workspace's law where no country of ours is known."""
    for number, (told, _) in enumerate(CASES, 1):
        person(desk, number, **told)
    profiles = list(range(1, len(CASES) + 1))

    found = by_profile(desk.house.warehouse, desk.vault, profiles, default="gdpr")

    assert [(each.country, each.rules, each.because) for each in found.values()] == [want for _, want in CASES]
    assert (
        of_key(desk.house.warehouse, desk.vault, desk.keys.subject_key("phone", "+4915112345678"), default="pipl")
        == found[4]
    )
    assert of_key(desk.house.warehouse, desk.vault, "nobody", default="pipl") is None


def test_lists_take_for_american_whom_the_page_calls_so_and_whose_number_is_not_needed(desk):
    """The set's query agrees with the one person's answer, but for those whom only a number tells of."""
    for number, (told, _) in enumerate(CASES, 1):
        person(desk, number, **told)

    found = {profile for (profile,) in desk.house.warehouse.query(AMERICANS_SQL)}

    assert found == {n for n, (_, (_, rules, because)) in enumerate(CASES, 1) if rules == "ccpa" and because != "phone"}


@pytest.mark.parametrize(
    ("text", "code"),
    [("cn", "CN"), ("US-CA", "US"), ("uk", "GB"), (" 美国 ", "US"), ("no country", None), ("", None), (None, None)],
)
def test_a_country_is_read_as_people_write_it(text, code):
    """A code, a state's code, a common name; anything else is none."""
    assert country_of(text) == code


def test_a_number_of_no_country_says_nothing():
    """Freephone and satellite numbers, and what is no number at all."""
    assert [country_of_number(each) for each in ("+80012345678", "12", "x")] == [None, None, None]
