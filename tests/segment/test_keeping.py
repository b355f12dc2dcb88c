"""Keeping: arms by a seed, and who has to be told of them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.kernel.errors import Conflict
from spira.segment import keeping
from spira.testing.cores import ROOT
from spira.testing.houses import House

NOW = datetime(2026, 3, 20)
SHARES = st.lists(st.integers(1, 40), min_size=1, max_size=3).filter(lambda each: sum(each) <= 100)
PEOPLE = st.sets(st.integers(1, 2**40), max_size=30)


@given(PEOPLE, PEOPLE, SHARES, st.text(min_size=1, max_size=5))
def test_a_person_has_one_arm_whatever_is_split_with_them(some, others, shares, seed):
    """
    The arm is a function of seed and person: who else is there makes no difference, nor does splitting again.
    """
    wanted = dict(zip("ABC", shares, strict=False))
    apart, together = keeping.arms(sorted(some), seed, wanted), keeping.arms(sorted(some | others), seed, wanted)
    assert apart == {person: arm for person, arm in together.items() if person in some}
    assert set(apart.values()) <= set(wanted)
    if sum(shares) == 100:
        assert set(apart) == some


@given(st.integers(1, 99), st.integers(1, 99))
def test_a_larger_share_keeps_whom_it_had(less, more):
    """
    Raising the first arm's share moves nobody out of it.
    """
    small, large = sorted((less, more))
    people = range(1, 200)
    inside = {person for person, arm in keeping.arms(people, "spring", {"A": small}).items() if arm == "A"}
    assert inside <= set(keeping.arms(people, "spring", {"A": large}))


def test_arms_are_as_large_as_their_shares():
    """
    Of many people each arm has about its part, and another seed draws anew.
    """
    people = range(1, 20_001)
    found = keeping.arms(people, "spring", {"A": 45, "B": 45})
    sizes = [sum(arm == name for arm in found.values()) for name in "AB"]
    assert all(abs(size / 20_000 - 0.45) < 0.015 for size in sizes)
    other = keeping.arms(people, "autumn", {"A": 45, "B": 45})
    same = sum(found.get(person) == other.get(person) for person in people) / 20_000
    assert abs(same - (0.45**2 * 2 + 0.1**2)) < 0.02


def test_who_has_the_value_is_not_told_again():
    """
    Keeping the same audience twice says something only of those who came since; too many are refused.
    """
    with House() as house:
        house.warehouse.execute("alter table tags add column kept boolean")
        for person in (1, 2, 3):
            house.put("profiles", profile_id=person, unit_id=1, first_seen=NOW, last_seen=NOW)
            house.put("members", audience="a", profile_id=person, since=NOW)
        house.put("tags", profile_id=1, kept=True)
        house.put("tags", profile_id=2, kept=False)
        people = keeping.members(house.warehouse, ROOT, "a")
        assert people == [1, 2, 3]
        assert set(keeping.fresh(house.warehouse, "kept", dict.fromkeys(people, "yes"))) == {2, 3}
        assert set(keeping.fresh(house.warehouse, "never", dict.fromkeys(people, "yes"))) == {1, 2, 3}


def test_more_than_can_be_kept_is_refused(monkeypatch):
    """
    The fault says how many can be.
    """
    monkeypatch.setattr(keeping, "MOST", 1)
    with House() as house:
        for person in (1, 2):
            house.put("profiles", profile_id=person, unit_id=1, first_seen=NOW, last_seen=NOW)
            house.put("members", audience="a", profile_id=person, since=NOW)
        with pytest.raises(Conflict, match="more than 1 people"):
            keeping.members(house.warehouse, ROOT, "a")
