from __future__ import annotations

import pytest

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.testing.houses import at
from spira.unify import consent, profiles
from spira.unify.facts import Allowed, facts

ROOT = Viewer(staff_id="s1", name="Root", roles=frozenset({"analyst"}), units=None)
STRANGER = Viewer(staff_id="s3", name="Other", roles=frozenset({"guide"}), units=frozenset({20}))
READER = Viewer(staff_id="s5", name="Reader", roles=frozenset({"reader"}), units=None)


def test_the_facts_of_a_person_hold_nothing_sealed(desk):
    """By id, merged id or identifier: clear traits, tags with a value, audiences and consents; strangers see nobody."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "email", "ann@example.com")
    house.link(1, 2)
    house.say(1, "Consent Given", hours=-1, purpose="marketing", channel="email", store_id="A")
    house.tell(1, "email", None, hours=0, vault_key=desk.keys.subject_key("email", "ann@example.com"))
    house.tell(1, "city", "Jinan", hours=0)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9), units=[(10, "A")])
    consent.compute(house.warehouse, as_of=at(9))
    for column in ("orders bigint", "secret bigint", "nothing bigint"):
        house.warehouse.execute(f"alter table tags add column {column}")
    house.warehouse.execute("insert into tags (profile_id, orders, secret) values (1, 3, 4)")
    house.warehouse.execute("insert into members values ('lapsed', 1, ?)", [at(0)])

    def ask(text, viewer=ROOT):
        return facts(house.warehouse, viewer, text, keys=desk.keys, as_of=at(9), leave_out=["secret"])

    found = ask("user_id:h-1")
    assert found == ask(show_profile(1)) == ask(show_profile(2)) == ask("email:ANN@example.com")
    assert (found.as_of, found.personal, found.restricted) == (at(9), True, False)
    assert (found.id, found.traits, found.tags, found.audiences, found.consents) == (
        show_profile(1),
        {"city": "Jinan"},
        {"orders": 3},
        ("lapsed",),
        (Allowed(purpose="marketing", channel="email", granted=True),),
    )
    for text, viewer in (("user_id:h-1", STRANGER), ("user_id:h-9", ROOT), ("ann@example.com", ROOT)):
        with pytest.raises(NotFound) as error:
            ask(text, viewer)
        assert "h-" not in str(error.value)
    with pytest.raises(NotAllowed):
        ask("user_id:h-1", READER)
