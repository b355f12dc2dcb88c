"""First and last touch: what counts as one, in which order, and that they follow whoever a person turns out to be."""

from __future__ import annotations

import pytest

from spira.storage import ddl
from spira.storage.tables import Column
from spira.testing.houses import NOON, House, at
from spira.unify import identity, profiles


@pytest.fixture
def house():
    with House() as made:
        made.warehouse.execute(ddl.add_column("events", Column(name="link", type="VARCHAR")))
        identity.views(made.warehouse)
        yield made


def touches(house, profile):
    """The touches of a profile, by name."""
    profiles.compute(house.warehouse, as_of=NOON)
    asked = "select name, value from traits where profile_id = ? and name like '%_touch_%'"
    return dict(house.warehouse.query(asked, [profile]))


def test_the_first_and_the_last_touch_are_kept_with_their_parts(house):
    """Of three campaigns the earliest and the latest are told, each with touchpoint and instant."""
    house.subject(1, "user_id")
    house.say(1, "Page Viewed", hours=-3, campaign="spring", touchpoint="web")
    house.say(1, "Page Viewed", hours=-2, campaign="summer", touchpoint="app")
    house.say(1, "Page Viewed", hours=-1, campaign="autumn", touchpoint="mini_program")
    house.say(1, "Page Viewed", hours=0)
    house.load()

    told = touches(house, 1)

    assert told["first_touch_campaign"] == "spring"
    assert told["first_touch_touchpoint"] == "web"
    assert told["last_touch_campaign"] == "autumn"
    assert told["last_touch_at"] == str(at(-1))
    assert "first_touch_link" not in told


def test_of_two_touches_at_one_instant_the_events_order_decides(house):
    """The order is (ts, event_id), whatever the campaigns are called."""
    house.subject(1, "user_id")
    house.say(1, "Page Viewed", hours=-1, campaign="z")
    house.say(1, "Page Viewed", hours=-1, campaign="a")
    house.load()

    told = touches(house, 1)

    assert (told["first_touch_campaign"], told["last_touch_campaign"]) == ("z", "a")


def test_the_page_a_link_led_to_is_the_same_touch_as_the_link(house):
    """A poster in a store is the touchpoint, though the page it leads to is on the web."""
    house.subject(1, "visit")
    house.subject(2, "user_id")
    house.say(1, "Link Opened", hours=-2, source="spira", link="door", campaign="spring", touchpoint="store")
    house.say(2, "Page Viewed", hours=-1, link="door", campaign="spring", touchpoint="web")
    house.link(1, 2)
    house.load()

    told = touches(house, 1)

    assert told["last_touch_touchpoint"] == "store"
    assert told["last_touch_link"] == "door"


def test_where_the_opening_is_not_known_the_page_counts(house):
    """A page that names a link whose opening is nobody's known visit is a touch of its own."""
    house.subject(2, "user_id")
    house.say(2, "Page Viewed", hours=-1, link="door", touchpoint="web")
    house.load()

    assert touches(house, 2)["first_touch_link"] == "door"


@pytest.mark.parametrize(
    ("event", "source", "counts"),
    [
        ("Email Delivered", "spira", False),
        ("Email Opened", "spira", False),
        ("Email Link Clicked", "spira", True),
        ("Link Previewed", "spira", False),
        ("Email Opened", "shop", True),
    ],
)
def test_what_was_done_to_a_person_is_no_touch(house, event, source, counts):
    """A message that was sent led nobody here; a click in it did."""
    house.subject(1, "user_id")
    house.say(1, event, hours=-1, source=source, campaign="spring")
    house.load()

    assert ("first_touch_campaign" in touches(house, 1)) is counts


def test_touches_follow_a_merge_and_its_undoing(house):
    """Two who turn out to be one have the earlier first touch; parted again, each has their own."""
    house.subject(1, "user_id")
    house.subject(2, "anonymous_id")
    house.say(1, "Page Viewed", hours=-1, campaign="later")
    house.say(2, "Page Viewed", hours=-5, campaign="earlier")
    house.load()
    alone = touches(house, 1)
    house.link(1, 2)
    house.load()

    assert alone["first_touch_campaign"] == "later"
    assert touches(house, 1)["first_touch_campaign"] == "earlier"

    house.warehouse.execute("delete from links")
    house.batch += 1
    identity.resolve_all(house.warehouse, house.batch)

    assert touches(house, 1) == alone
    assert touches(house, 2)["first_touch_campaign"] == "earlier"


def test_nobody_can_tell_their_own_touch(house):
    """A trait of that name in an identify call is not believed."""
    house.subject(1, "user_id")
    house.tell(1, "first_touch_campaign", "mine", hours=-1)
    house.tell(1, "city", "Qingdao", hours=-1)
    house.load()

    assert touches(house, 1) == {}


def test_a_visit_alone_is_no_person(house):
    """An opening that nobody's acts were tied to is counted among events and makes no profile; tied, it does."""
    house.subject(1, "visit")
    house.say(1, "Link Opened", hours=-1, source="spira", link="door")
    house.load()
    touches(house, 1)
    assert house.warehouse.value("select count(*) from profiles") == 0
    assert house.warehouse.value("select count(*) from traits") == 0

    house.subject(2, "anonymous_id")
    house.say(2, "Page Viewed", hours=0)
    house.link(1, 2)
    house.load()

    assert touches(house, 1)["first_touch_link"] == "door"
    assert house.warehouse.value("select count(*) from profiles") == 1


def test_a_visit_that_two_browsers_claim_joins_nobody(house):
    """An address that was sent on to friends makes no one person of them, in whichever order they come."""
    house.subject(1, "visit")
    house.subject(2)
    house.subject(3)
    for subject in (1, 2, 3):
        house.say(subject, "Page Viewed", hours=-1)
    house.link(1, 2)
    house.load()
    assert house.profile_of(2) == 1

    house.link(1, 3)
    house.load()

    assert [house.profile_of(each) for each in (1, 2, 3)] == [1, 2, 3]


def test_a_visit_that_one_person_claims_by_two_ids_stays_theirs(house):
    """Whoever signs in on the page that the link led to claims the visit a second time, by the user id."""
    house.subject(1, "visit")
    house.subject(2)
    house.subject(3, "user_id")
    for subject in (1, 2, 3):
        house.say(subject, "Page Viewed", hours=-1)
    house.link(1, 2)
    house.link(3, 2)
    house.link(1, 3)
    house.load()

    assert [house.profile_of(each) for each in (1, 2, 3)] == [1, 1, 1]
