from __future__ import annotations

from dataclasses import fields

import pytest

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.testing.houses import at
from spira.unify import consent, people, portrait, profiles
from spira.unify.explain import explain

ROOT = Viewer(staff_id="s1", name="Root", roles=frozenset({"analyst"}), units=None)
GUIDE = Viewer(staff_id="s2", name="Guide", roles=frozenset({"guide"}), units=frozenset({10}))
STRANGER = Viewer(staff_id="s3", name="Other", roles=frozenset({"guide"}), units=frozenset({20}))
NOWHERE = Viewer(staff_id="s4", name="New", roles=frozenset({"operator"}), units=frozenset())
READER = Viewer(staff_id="s5", name="Reader", roles=frozenset({"reader"}), units=None)


@pytest.fixture
def shop(desk):
    """Ann, of store A, with an address, a name and a browser; and Bo, of no store."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "email", "ann@example.com")
    desk.subject(3, "anonymous_id", "browser-1")
    desk.subject(4, "user_id", "h-2")
    house.say(3, "Page Viewed", hours=-30)
    house.say(1, "Order Completed", hours=-2, store_id="A", revenue=12.5)
    house.say(1, "Consent Given", hours=-1, purpose="marketing", channel="email")
    house.tell(1, "name", None, hours=0, vault_key=desk.sealed("name", "王芳"))
    house.tell(1, "email", None, hours=0, vault_key=desk.keys.subject_key("email", "ann@example.com"))
    house.tell(1, "city", "Jinan", hours=0)
    house.tell(1, "city", "Qingdao", hours=1)
    house.say(4, "Page Viewed", hours=0)
    house.link(1, 2, hours=0, event=4)
    house.link(1, 3, hours=-2, event=2)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9), units=[(10, "A"), (20, "B")])
    consent.compute(house.warehouse, as_of=at(9))
    house.warehouse.execute("alter table tags add column orders bigint")
    house.warehouse.execute("insert into tags (profile_id, orders) values (1, 1)")
    house.warehouse.execute("insert into members values ('lapsed', 1, ?)", [at(0)])
    return desk


def ids(desk, viewer, text):
    found = people.find(desk.house.warehouse, desk.vault, viewer, text, keys=desk.keys)
    return [row.id for row in found]


def look(desk, viewer, profile=1, **more):
    return people.person(desk.house.warehouse, desk.vault, viewer, profile, **more)


@pytest.mark.parametrize(
    "text",
    [
        show_profile(1),
        show_profile(3),
        "user_id:h-1",
        "h-1",
        "email:ANN@example.com",
        " Ann@Example.com ",
        "王芳",
        "browser-1",
    ],
)
def test_a_person_is_found_by_whatever_names_them(shop, text):
    """An outside id (a merged one too), a kind with a value, a bare address, id or name each lead to the one person."""
    assert ids(shop, ROOT, text) == [show_profile(1)]


def test_nobody_is_found_by_what_nobody_is_called(shop):
    """An unknown address and an empty text find no one."""
    assert ids(shop, ROOT, "email:bo@example.com") == []
    assert ids(shop, ROOT, "") == []


@pytest.mark.parametrize(("viewer", "seen"), [(ROOT, [1, 4]), (GUIDE, [1]), (STRANGER, []), (NOWHERE, [])])
def test_people_outside_a_viewers_units_are_as_if_they_were_not(shop, viewer, seen):
    """Lists, searches, pages and explanations show only those of the viewer's units; the unplaced are the root's."""
    warehouse, vault = shop.house.warehouse, shop.vault
    assert [row.id for row in people.rows(warehouse, vault, viewer, [1, 4])] == [show_profile(each) for each in seen]
    for profile, text in ((1, "h-1"), (4, "h-2")):
        assert ids(shop, viewer, text) == ([show_profile(profile)] if profile in seen else [])
        if profile not in seen:
            with pytest.raises(NotFound):
                look(shop, viewer, profile)
            with pytest.raises(NotFound):
                explain(warehouse, vault, viewer, profile)


def test_the_last_digits_find_ones_own_people_among_many(shop):
    """However many people elsewhere have a number that ends so, a guide finds the one of the own store."""
    keys = sorted(shop.sealed("phone", f"+86138{number:04}1234") for number in range(50))
    shop.house.tell(1, "phone", None, hours=2, vault_key=keys[-1])
    shop.house.load()
    profiles.compute(shop.house.warehouse, as_of=at(9), units=[(10, "A"), (20, "B")])
    assert ids(shop, GUIDE, "1234") == [show_profile(1)]


def test_a_reader_sees_no_single_person(shop):
    """The role that sees figures only is refused by every question about people."""
    for question in (
        lambda: look(shop, READER),
        lambda: ids(shop, READER, "h-1"),
        lambda: people.rows(shop.house.warehouse, shop.vault, READER, [1]),
        lambda: explain(shop.house.warehouse, shop.vault, READER, 1),
    ):
        with pytest.raises(NotAllowed):
            question()


def test_the_scope_is_the_units_and_nothing_else():
    """Everyone for the root, the listed units for others, no one for a viewer without any."""
    assert people.scope(ROOT) is None
    assert people.scope(GUIDE).sql("duckdb") == "profiles.unit_id IN (10)"
    assert people.scope(NOWHERE).sql("duckdb") == "FALSE"


def test_contact_values_are_masked_unless_the_showing_is_told(shop):
    """A guide sees addresses in full only when someone is told of it; an analyst never does."""
    told: list[str] = []
    assert "ann@example.com" not in repr(look(shop, GUIDE))
    assert "王芳" not in repr(look(shop, GUIDE))
    assert "ann@example.com" not in repr(look(shop, ROOT, on_show=told.append))
    assert told == []
    shown = look(shop, GUIDE, on_show=told.append)
    assert told == [show_profile(1)]
    assert shown.person.name == "王芳"
    assert [each.shown for each in shown.identifiers] == ["h-1", "browser-1", "ann@example.com"]
    assert [each.shown for each in look(shop, GUIDE).identifiers] == ["h-1", "browser-1", "a***"]


def test_a_page_holds_everything_about_the_person(shop):
    """Traits with their history, tags, audiences, permissions, reach and the timeline are those of the whole person."""
    view = look(shop, ROOT)
    assert view.person.name == "王***"
    assert view.person.unit_id == 10
    assert {trait.name: trait.shown for trait in view.traits} == {"city": "Qingdao", "email": "a***", "name": "王***"}
    assert [told.shown for trait in view.traits if trait.name == "city" for told in trait.history] == [
        "Qingdao",
        "Jinan",
    ]
    assert [(tag.name, tag.value) for tag in view.tags] == [("orders", 1)]
    assert [each.audience for each in view.audiences] == ["lapsed"]
    assert [(each.channel, each.reachable, each.reason) for each in view.reach] == [("email", True, None)]
    assert [moment.event for day in view.timeline.days for moment in day.moments][-1] == "Page Viewed"
    assert look(shop, ROOT, 2) == view


def test_why_a_person_is_not_reached_is_said(shop):
    """No address, a suppressed address and a missing consent are told apart, in the order the gate asks."""
    assert [each.reason for each in look(shop, ROOT, 4).reach] == ["unreachable"]
    key = shop.keys.subject_key("email", "ann@example.com")
    shop.house.warehouse.execute("insert into suppressions values (?, 'email', 'hard_bounce', ?)", [key, at(0)])
    assert [each.reason for each in look(shop, ROOT).reach] == ["suppressed"]
    shop.house.warehouse.execute("delete from suppressions")
    shop.house.warehouse.execute("update permissions set granted = false")
    assert [each.reason for each in look(shop, ROOT).reach] == ["no_consent"]


def test_an_explanation_names_the_evidence_and_its_weakest_link(shop):
    """Each link shows the event that made it; the weakest is the latest of those with one user id."""
    told = explain(shop.house.warehouse, shop.vault, ROOT, 1)
    assert [(node.kind, node.shown, node.mine) for node in told.nodes] == [
        ("user_id", "h-1", True),
        ("email", "a***", True),
        ("anonymous_id", "browser-1", True),
    ]
    assert [(link.event, link.strength, link.joins) for link in told.links] == [
        ("Order Completed", "fair", True),
        ("identify", "fair", True),
    ]
    assert told.weakest == told.links[1]


def test_a_link_that_joins_nothing_is_shown_as_such(shop):
    """An address seen with two people stays in both explanations, and joins neither."""
    shop.house.link(4, 2, hours=3)
    shop.house.load()
    told = explain(shop.house.warehouse, shop.vault, ROOT, 4)
    assert [(node.kind, node.mine) for node in told.nodes] == [("user_id", True), ("email", False)]
    assert [link.joins for link in told.links] == [False]
    assert told.weakest is None


def test_an_explanation_shows_no_value_of_a_person_outside_the_viewers_units(shop):
    """A device that a person shared with somebody of another store is told of, without its id."""
    shop.subject(5, "anonymous_id", "browser-2")
    shop.house.say(5, "Page Viewed", hours=2, store_id="B")
    shop.house.link(1, 5, hours=3)
    shop.house.link(4, 5, hours=3)
    shop.house.load()
    profiles.compute(shop.house.warehouse, as_of=at(9), units=[(10, "A"), (20, "B")])
    for viewer, value in ((ROOT, "browser-2"), (GUIDE, "***")):
        told = explain(shop.house.warehouse, shop.vault, viewer, 1)
        assert [node.shown for node in told.nodes if not node.mine] == [value]


def test_every_field_of_a_view_says_what_it_means():
    """No view model has a field without its help text."""
    views = [
        each for each in vars(portrait).values() if isinstance(each, type) and hasattr(each, "__dataclass_fields__")
    ]
    assert len(views) > 10
    assert all(field.metadata.get("help") for view in views for field in fields(view))
