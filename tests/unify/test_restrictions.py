"""Restrictions: who is restricted, and that the profiles follow."""

from __future__ import annotations

from spira.testing.houses import at
from spira.unify import restrictions


def loaded(desk):
    desk.house.warehouse.execute(
        """insert into loaded by name select 'core' as log, 0 as segment, 0 as position, 1 as batch,
        ?::timestamp as "at", 9 as last_event, 6 as last_subject""",
        [at(0)],
    )


def test_a_restriction_follows_its_person_and_is_noted_as_a_change(desk):
    """The profile is listed while the identifier is restricted, under the profile it is part of, and once."""
    house = desk.house
    for subject, kind, value in ((1, "user_id", "h-1"), (2, "email", "ann@example.com"), (3, "user_id", "h-2")):
        desk.subject(subject, kind, value)
    loaded(desk)
    address = desk.keys.subject_key("email", "ann@example.com")
    user = desk.keys.subject_key("user_id", "h-1")
    assert restrictions.follow(house.warehouse, desk.state) == 0
    restrictions.restrict(desk.state, address, actor="paula", at=at(1))
    assert restrictions.follow(house.warehouse, desk.state) == 1
    assert house.warehouse.query("select profile_id from restricted") == [(2,)]
    assert house.warehouse.query("select profile_id, batch from changes") == [(2, 2)]
    assert restrictions.follow(house.warehouse, desk.state) == 0
    house.say(1, "Identified", hours=0)
    house.link(1, 2)
    house.load()
    restrictions.restrict(desk.state, user, actor="paula", at=at(2))
    assert restrictions.follow(house.warehouse, desk.state) == 2
    assert house.warehouse.query("select profile_id, since from restricted") == [(1, at(1))]
    assert restrictions.since(desk.state, [user, address]) == at(1)
    assert restrictions.lift(desk.state, [user, address]) == 2
    assert restrictions.follow(house.warehouse, desk.state) == 1
    assert house.warehouse.query("select count(*) from restricted") == [(0,)]
    assert restrictions.since(desk.state, [user, address]) is None
