"""What happens between two turns, or a little ahead of them, is neither lost nor overruled."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.scenarios.shop import FILES, shop

from spira.kernel.clock import iso
from spira.kernel.viewer import SYSTEM
from spira.testing.workspaces import order
from spira.unify import erase

JANUARY = datetime(2026, 1, 5, 10)
GREETING = """\
journey: greeting
label: {zh-CN: 问候, en: Greeting}
enter: {event: Order Completed, key: order_id, again: always}
holdout: 0%
steps:
  - send: {channel: email, template: we_miss_you}
  - wait: 1 day
  - send: {channel: email, template: a_gift}
"""


@pytest.fixture
def corner(tmp_path):
    """A shop that greets whoever orders, open since ten in the morning."""
    with shop(tmp_path, at=JANUARY, files={**FILES, "journeys/win_back.yaml": GREETING}) as made:
        made.tick()
        yield made


def test_an_erasure_hides_no_change_of_a_tag_from_the_audiences(corner):
    """
    After the last one whose tags had changed is erased, the next one to lapse by time alone enters the audience.
    """
    corner.orders("ann")
    corner.tick(minutes=1)
    for _ in range(3):
        corner.orders("ben")
        corner.tick(days=1)
    with corner.core.exclusive():
        erase.erase(corner.core.stores(), "user_id:ben", actor="test")
    corner.tick(days=40)
    assert corner.members() == ["ann"]


def test_what_could_not_be_sent_in_the_evening_waits_for_the_morning(corner):
    """
    A message whose server was down when the quiet hours began goes when they are over.
    """
    corner.registers("ann", consents=True)
    corner.inbox.stop()
    corner.passes(hours=11, minutes=50)
    corner.orders("ann")
    corner.tick(minutes=1)
    assert corner.fates("ann") == [("we_miss_you", "queued", None)]
    corner.inbox.start()
    corner.tick(minutes=30)
    assert corner.mail("ann") == []
    corner.tick(hours=10)
    assert len(corner.mail("ann")) == 1


def test_a_soft_bounce_hides_no_hard_one(corner):
    """
    The provider put a message off and then gave it up: the address is not written to again.
    """
    corner.registers("ann", consents=True)
    corner.orders("ann")
    corner.tick(minutes=1)
    (mail,) = corner.mail("ann")
    corner.tells(mail, "bounced")
    corner.tick(minutes=1)
    corner.tells(mail, "bounced", hard=True)
    corner.tick(days=2)
    assert corner.fates("ann")[-1] == ("a_gift", "withheld", "suppressed")


def test_a_clock_that_is_ahead_does_not_outlive_a_refusal(corner):
    """
    Whoever agreed on a device whose clock is fast and then unsubscribed is not written to.
    """
    corner.registers("ann", consents=True)
    corner.orders("ann")
    corner.tick(minutes=1)
    (mail,) = corner.mail("ann")
    ahead = iso(corner.core.clock.now() + timedelta(minutes=4))
    said = {"event": "Consent Given", "properties": {"purpose": "marketing", "channel": "email"}}
    corner.call(type="track", userId="ann", timestamp=ahead, **said)
    corner.passes(minutes=1)
    corner.post(mail.unsubscribe)
    corner.tick(days=2)
    assert corner.fates("ann")[-1] == ("a_gift", "withheld", "no_consent")


def test_a_machine_that_opens_a_message_hides_no_reader(corner):
    """
    A proxy fetched the image at once, the reader opened it an hour later: both are events.
    """
    corner.registers("ann", consents=True)
    corner.orders("ann")
    corner.tick(minutes=1)
    (mail,) = corner.mail("ann")
    corner.get(mail.image)
    corner.passes(hours=1)
    corner.get(mail.image)
    corner.tick(minutes=1)
    opens = corner.core.lane().query("select machine_open from events where event = 'Email Opened' order by ts")
    assert opens == [(True,), (False,)]


def test_an_order_a_little_ahead_of_its_turn_is_known_by_the_next(corner):
    """
    What lay ahead of a turn counts in the next one, in tags, metrics and the journeys alike, once.
    """
    corner.registers("ann", consents=True)
    ahead = iso(corner.core.clock.now() + timedelta(minutes=3))
    corner.send([order("ann", ahead, message_id="first")])
    corner.core.tick()
    counted = "select coalesce(sum(value), 0) from metric_points where metric = 'orders' and grain = 'day'"
    assert corner.core.lane().query("select orders_total from tags") == [(0,)]
    assert corner.core.lane().value(counted) == 0
    corner.tick(minutes=10)
    assert corner.core.lane().query("select orders_total from tags") == [(1,)]
    assert corner.core.lane().value(counted) == 1
    corner.tick(minutes=10)
    assert len(corner.mail("ann")) == 1


def test_what_was_held_for_a_walk_that_ended_is_not_sent(corner):
    """
    A journey was taken away at night: the message that waited for the morning does not go.
    """
    corner.registers("ann", consents=True)
    corner.passes(hours=13)
    corner.orders("ann")
    corner.tick(minutes=1)
    assert corner.fates("ann") == [("we_miss_you", "held", "quiet_hours")]
    (corner.core.directory / "journeys" / "win_back.yaml").unlink()
    corner.core.apply(SYSTEM)
    corner.tick(hours=11)
    assert corner.fates("ann") == [("we_miss_you", "withheld", "left")]
    assert corner.mail("ann") == []
