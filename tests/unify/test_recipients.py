"""Recipients: whose data went to whom, how much of it abroad and no more, and what recipients have to hear."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.settings import RightsSettings
from spira.storage import audit
from spira.testing.houses import NOON
from spira.unify import exports, recipients
from spira.unify.recipients import SHARED

RIGHTS = RightsSettings(
    processors=["Post; letters; CN", "Mailer; mail; US; https://mailer.example/hook"], abroad_people=3
)
POST, MAILER = recipients.every(RIGHTS)
CLOCK = FrozenClock(NOON)


@pytest.fixture
def shop(desk):
    """Five people with a customer number each."""
    for subject in range(1, 6):
        desk.subject(subject, "user_id", f"u{subject}")
        desk.house.put("profiles", profile_id=subject)
    return desk


def leave(shop, to, *profiles, sensitive=False, rights=RIGHTS, clock=CLOCK):
    """A list that leaves; its mark."""
    return exports.record(
        shop.state, shop.house.warehouse, clock, zone="UTC", actor="pia", what="people", profiles=profiles,
        in_clear=False, reason="", to=to, sensitive=sensitive, rights=rights,
    )  # fmt: skip


def key(shop, number):
    return shop.keys.subject_key("user_id", f"u{number}")


def test_a_recipient_is_of_the_record_of_processing():
    """Each with where they are; an address to tell them at is the fourth part; nobody else is one."""
    assert [(each.name, each.country, each.abroad, each.url) for each in (POST, MAILER)] == [
        ("Post", "CN", False, ""),
        ("Mailer", "US", True, "https://mailer.example/hook"),
    ]
    with pytest.raises(NotFound):
        recipients.get(RIGHTS, "Somebody")
    with pytest.raises(ValueError, match="is no processor"):
        RightsSettings(processors=["Mailer; mail; US; by letter"])


def test_people_are_counted_once_a_year_by_recipient_and_country(shop):
    """Twice in a list is one person; another year counts anew; at home is not abroad."""
    leave(shop, MAILER, 1, 2)
    leave(shop, MAILER, 2, 3)
    leave(shop, POST, 1, 2, 3, 4)
    leave(shop, None, 5)
    leave(shop, MAILER, 1, clock=FrozenClock(NOON + timedelta(days=365)))

    counted = [(each.year, each.recipient, each.country, each.people) for each in recipients.given(shop.state)]
    assert counted == [(2027, "Mailer", "US", 1), (2026, "Post", "CN", 4), (2026, "Mailer", "US", 3)]
    abroad = recipients.abroad(shop.state, RIGHTS, at=NOON, zone="UTC")
    assert (abroad.people, abroad.sensitive, abroad.most_people, abroad.most_sensitive) == (3, 0, 3, 0)


def test_what_would_go_beyond_the_limit_stays_and_leaves_no_trace(shop):
    """The list that is one too many is refused as a whole; who was counted already may go again."""
    leave(shop, MAILER, 1, 2, 3)
    with pytest.raises(Conflict, match="4 people would have gone abroad in 2026; 3 may"):
        leave(shop, MAILER, 3, 4)
    with pytest.raises(Conflict, match="sensitive data of 1 people"):
        leave(shop, MAILER, 1, sensitive=True)
    assert len(exports.latest(shop.state, limit=9)) == 1
    leave(shop, MAILER, 1, 2)
    leave(shop, POST, 1, 2, 3, 4, 5, sensitive=True)


def test_elsewhere_than_in_china_nothing_is_stopped(shop):
    """The limits are those of one country's law."""
    leave(shop, POST, 1, 2, 3, 4, sensitive=True, rights=RIGHTS.model_copy(update={"country": "DE"}))


def test_each_recipient_of_an_erased_person_has_to_hear_of_it_by_the_lists_own_id(shop):
    """No value and no HMAC stands in a duty; asking twice files it once."""
    mark = leave(shop, MAILER, 1, 2)
    other = leave(shop, POST, 1)
    owed = recipients.owe(shop.state, shop.house.warehouse, CLOCK, [key(shop, 1)], what="erasure")
    again = recipients.owe(shop.state, shop.house.warehouse, CLOCK, [key(shop, 1)], what="erasure")

    assert [(each.recipient, each.person, each.export_id) for each in owed] == [
        ("Mailer", show_profile(1), mark),
        ("Post", show_profile(1), other),
    ]
    assert again == []
    assert recipients.owe(shop.state, shop.house.warehouse, CLOCK, ["nobody"], what="erasure") == []


def test_an_erased_person_still_counts_for_the_year(shop):
    """Once, however many identifiers they had and however often it is asked; sensitive data stays counted as such."""
    leave(shop, MAILER, 1, 2)
    leave(shop, MAILER, 3, sensitive=True, rights=RIGHTS.model_copy(update={"abroad_sensitive": 1}))
    for _ in range(2):  # an erasure that was interrupted is asked for again
        recipients.owe(shop.state, shop.house.warehouse, CLOCK, [key(shop, 1), key(shop, 3)], what="erasure")
    with shop.state.read() as connection:
        left = [each for (each,) in connection.execute(sa.select(SHARED.c.subject_key))]

    counted = recipients.abroad(shop.state, RIGHTS, at=NOON, zone="UTC")
    assert (counted.people, counted.sensitive) == (2, 1)
    assert not {key(shop, 1), key(shop, 3)} & set(left)


def test_a_duty_is_over_when_the_recipient_was_told(shop):
    """Once, and written down without a name; what waits comes first."""
    leave(shop, MAILER, 1)
    leave(shop, POST, 1)
    mailer, post = recipients.owe(shop.state, shop.house.warehouse, CLOCK, [key(shop, 1)], what="correction")
    done = recipients.told(shop.state, CLOCK, mailer.duty_id, actor="pia")

    assert (done.told_at, done.told_by) == (NOON, "pia")
    assert [each.duty_id for each in recipients.duties(shop.state, limit=9)] == [post.duty_id, mailer.duty_id]
    assert recipients.by_id(shop.state, [mailer.duty_id, "none"]) == [done]
    row = audit.latest(shop.state, limit=1)[0]
    assert (row.action, row.subject, row.detail) == (
        "recipient.told",
        mailer.duty_id,
        {"recipient": "Mailer", "what": "correction"},
    )
    with pytest.raises(Conflict):
        recipients.told(shop.state, CLOCK, mailer.duty_id, actor="pia")
    with pytest.raises(NotFound):
        recipients.told(shop.state, CLOCK, "duty_none", actor="pia")
