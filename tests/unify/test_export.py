"""Everything about one person, for the person."""

from __future__ import annotations

import json

import pytest

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.wire import plain
from spira.testing.houses import at
from spira.unify import consent, profiles
from spira.unify.export import export

OFFICER = Viewer(staff_id="p", name="P", roles=frozenset({"privacy_officer"}))


@pytest.fixture
def ann(desk):
    """Ann with two identifiers, an order with a line, a consent, a message and a walk; and Bo with an order."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "email", "ann@example.com")
    desk.subject(3, "user_id", "h-2")
    order = house.say(1, "Order Completed", hours=-2, revenue=12.5, properties='{"colour": "red"}')
    house.line(order, 1)
    house.say(3, "Order Completed", hours=-1, store_id="bo-was-here")
    house.say(1, "Consent Given", hours=-1, purpose="marketing", channel="email")
    house.tell(1, "name", None, hours=0, vault_key=desk.sealed("name", "Ann Lee"))
    house.link(1, 2, hours=0, event=order)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9), units=[])
    consent.compute(house.warehouse, as_of=at(9))
    house.put("deliveries", delivery_id=1, profile_id=1, channel="email", template="hello", journey="j", state="sent")
    house.put("enrolments", enrolment_id=1, journey="win_back", profile_id=1, state="active")
    house.put("membership_changes", change_id=1, audience="lapsed", profile_id=1, entered=True)
    key = desk.keys.subject_key("email", "ann@example.com")
    house.put("suppressions", address_key=key, channel="email", reason="complaint", since=at(3))
    return desk


def give(desk, viewer=OFFICER, profile=1, on_show=lambda _: None):
    return export(desk.house.warehouse, desk.vault, viewer, profile, at=at(9), on_show=on_show)


def test_a_file_holds_everything_in_clear(ann):
    """Identifiers, traits, words, walks, messages and events with what they carry and their lines."""
    told = json.dumps(plain(give(ann)), ensure_ascii=False)
    for word in ("ann@example.com", "Ann Lee", "h-1", "12.5", "colour", "complaint", "win_back", "lapsed", "hello"):
        assert word in told, word
    file = give(ann)
    assert [each.event for each in file.events] == ["identify", "Consent Given", "Order Completed"]
    assert len(file.events[-1].lines) == 1
    assert [(each.purpose, each.granted) for each in file.permissions] == [("marketing", True)]


def test_nobody_else_is_in_a_file(ann):
    """What another person did is not in it, and no key, number or hash of the house's own."""
    told = json.dumps(plain(give(ann)))
    assert "bo-was-here" not in told
    assert "h-2" not in told
    assert ann.keys.subject_key("email", "ann@example.com") not in told
    assert not {"subject_id", "batch", "address_key"} & set(json.loads(told)["events"][0]["details"])


def test_giving_out_is_for_a_privacy_officer_and_is_told(ann):
    """Nobody else is given a file, and whoever asks is told of, by the profile's id."""
    told = []
    give(ann, on_show=told.append)
    assert told == [show_profile(1)]
    for role in ("administrator", "service", "operator", "reader"):
        with pytest.raises(NotAllowed):
            give(ann, Viewer(staff_id="x", name="X", roles=frozenset({role})), on_show=told.append)
    assert len(told) == 1


def test_there_is_no_file_of_somebody_elses_people(ann):
    """A privacy officer of one unit does not see the people of another."""
    with pytest.raises(NotFound):
        give(ann, Viewer(staff_id="x", name="X", roles=frozenset({"privacy_officer"}), units=frozenset({7})))
