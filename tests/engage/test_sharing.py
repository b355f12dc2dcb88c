"""Sharing: whose data a list for others may hold: those who agreed, and where the law asks nobody first, the silent."""

from __future__ import annotations

from datetime import date

import pytest
from sqlglot import exp

from spira.engage.audience_export import may_leave
from spira.engage.reach import Rules
from spira.engage.sharing import shareable
from spira.kernel.viewer import Viewer
from spira.testing.houses import NOON, House
from spira.unify import personal

EVERYONE = exp.select("profile_id").from_("profiles")
SALE, ADS = "sale_or_sharing", "personalised_ads"


def said(house, profile, purpose, granted):
    house.put("permissions", profile_id=profile, purpose=purpose, channel="all", granted=granted, since=NOON)


def told(house, profile, **traits):
    for name, value in traits.items():
        house.put("traits", profile_id=profile, name=name, value=value, at=NOON)


def test_who_objected_never_is_and_who_is_silent_only_where_nobody_is_asked_first():
    """Objection, rest and age are heeded; agreeing to one purpose agrees to no other."""
    with House() as house:
        for profile in range(1, 10):
            house.put("profiles", profile_id=profile)
        said(house, 1, SALE, granted=True)
        said(house, 2, SALE, granted=False)
        told(house, 2, country="US")
        told(house, 4, country="US")
        told(house, 5, time_zone="America/Denver", birth_date=date(2012, 1, 1).isoformat())
        said(house, 6, SALE, granted=True)
        told(house, 6, birth_date=date(2014, 1, 1).isoformat())
        said(house, 7, SALE, granted=True)
        told(house, 7, birth_date=date(2014, 1, 1).isoformat())
        said(house, 7, "guardian", granted=True)
        said(house, 8, SALE, granted=True)
        house.put("restricted", profile_id=8)
        said(house, 9, ADS, granted=True)

        def leaving(purpose):
            query = shareable(EVERYONE, Rules(as_of=NOON), purpose).sql(dialect="duckdb")
            return sorted(profile for (profile,) in house.warehouse.query(query))

        assert leaving(SALE) == [1, 4, 7]
        assert leaving(ADS) == [2, 4, 9]


@pytest.mark.parametrize(
    ("purpose", "leaving"),
    [("analysis", [1]), (SALE, [1]), ("marketing", [1]), ("service", [1, 3]), ("transactional", [1, 2, 3])],
)
def test_a_list_abroad_holds_who_agreed_to_that_and_a_list_at_home_asks_nobody(purpose, leaving):
    """Of one who agreed, one who refused and one who is silent, by purpose; each reaches the recipient at home."""
    viewer = Viewer(staff_id="s", name="S", roles=frozenset({"administrator"}))
    rules = Rules(as_of=NOON, asking=frozenset({"Mailer"}))
    with House() as house:
        for profile in (1, 2, 3):
            house.put("profiles", profile_id=profile)
            house.put("identifiers", subject_id=profile, kind="email", subject_key=f"k{profile}", first_seen=NOON)
            house.put("permissions", profile_id=profile, purpose="marketing", channel="email", granted=True)
            said(house, profile, SALE, granted=True)
        said(house, 1, personal.ABROAD, granted=True)
        said(house, 2, personal.ABROAD, granted=False)

        def found(recipient):
            of, bound = may_leave(EVERYONE, viewer, purpose, "email", rules, recipient=recipient)
            return sorted(row[0] for row in house.warehouse.query(of.sql(dialect="duckdb"), bound))

        assert found("Mailer") == leaving
        assert found("Post") == found("") == [1, 2, 3]


def test_another_purpose_is_none_of_giving_to_others():
    """Writing to people has rules of its own."""
    with pytest.raises(ValueError, match="no purpose of giving"):
        shareable(EVERYONE, Rules(as_of=NOON), "marketing")
