"""How much there is of one person, before anything is erased."""

from __future__ import annotations

import pytest

from spira.kernel.errors import NotAllowed
from spira.kernel.viewer import Viewer
from spira.testing.houses import at
from spira.unify import profiles
from spira.unify.affected import affected

ROOT = Viewer(staff_id="r", name="R", roles=frozenset({"administrator"}))


@pytest.fixture
def ann(desk):
    """Ann with two identifiers and two events; and Bo."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "email", "ann@example.com")
    desk.subject(3, "user_id", "h-2")
    order = house.say(1, "Order Completed", hours=-2)
    house.say(2, "Page Viewed", hours=-3)
    house.say(3, "Order Completed", hours=-1)
    house.link(1, 2, hours=0, event=order)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9), units=[])
    key = desk.keys.subject_key("email", "ann@example.com")
    house.put("suppressions", address_key=key, channel="email", reason="complaint", since=at(3))
    house.put("members", audience="lapsed", profile_id=1, since=at(3))
    return desk


def who(desk, kind, value, viewer=ROOT):
    return affected(desk.house.warehouse, desk.state, desk.vault, viewer, (kind, value), keys=desk.keys)


@pytest.mark.parametrize(("kind", "value"), [("email", "ann@example.com"), ("user_id", "h-1")])
def test_any_identifier_leads_to_the_whole_person(ann, kind, value):
    """All identifiers of the person count, with the rows of every table that is bound to people; nobody else's."""
    found = who(ann, kind, value)
    assert found is not None
    assert found.identifiers == 2
    assert {table: found.rows(table) for table in ("events", "identifiers", "suppressions", "members", "vault")} == {
        "events": 2,
        "identifiers": 2,
        "suppressions": 1,
        "members": 1,
        "vault": 0,
    }


def test_who_is_meant_is_shown_masked(ann):
    """The card names the person as those see them who may not see addresses."""
    found = who(ann, "email", "ann@example.com")
    assert found is not None
    assert found.person is not None
    assert "ann@example.com" not in repr(found)


def test_an_identifier_that_nobody_has_is_nobody(ann):
    """There is nothing to tell."""
    assert who(ann, "email", "bob@example.com") is None


def test_who_sees_figures_only_is_refused(ann):
    """A reader is not told of one person."""
    with pytest.raises(NotAllowed):
        who(ann, "user_id", "h-1", Viewer(staff_id="x", name="X", roles=frozenset({"reader"})))
