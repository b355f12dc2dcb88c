"""People choose for themselves what they hear, by the link in a message, and it is so from then on."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy

import pytest
from tests.scenarios.shop import FILES, shop

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
FOOT = (
    '<html><body><a href="{{ preferences_url }}">Choose</a> <a href="{{ unsubscribe_url }}">No more</a></body></html>\n'
)


@pytest.fixture
def corner(tmp_path):
    files = {**FILES, "journeys/win_back.yaml": GREETING}
    files |= {"templates/we_miss_you.html": FOOT, "templates/a_gift.html": FOOT}
    with shop(tmp_path, at=JANUARY, files=files) as made:
        made.tick(minutes=1)
        made.registers("ann", consents=True)
        made.orders("ann")
        made.tick(hours=1)
        assert len(made.mail("ann")) == 1
        yield made


def link(corner):
    """The preferences link that Ann's last message carries; no click is counted of it."""
    return re.search(r'href="([^"]*/p/[^"]+)"', html(corner))[1]


def html(corner):
    message = message_from_bytes(corner.mail("ann")[-1].raw, policy=policy.default)
    return message.get_body(("html",)).get_content()


def granted(corner):
    asked = "select granted from permissions where profile_id = ? and purpose = 'marketing' and channel = 'email'"
    return corner.core.lane().value(asked, [corner.profile("ann")])


def checked(page):
    return re.findall(r'name="allow" value="([^"]+)" checked', page.text)


def test_a_withdrawal_on_the_page_stops_the_next_message_and_a_consent_opens_it_again(corner):
    """
    Each choice is shown at once, reaches the permissions with the next refresh, and decides the next message.
    """
    path = link(corner)
    assert checked(corner.get(path)) == ["marketing.email", "service.email"]
    corner.passes(hours=1)
    answer = corner.post(path, allow="service.email")
    assert answer.status_code == 303
    assert checked(corner.get(answer.headers["location"])) == ["service.email"]
    corner.core.load()
    assert checked(corner.get(path)) == ["service.email"]  # loaded, and no stage has looked at it yet
    corner.tick(hours=25)
    assert granted(corner) is False
    assert [each[1:] for each in corner.fates("ann")] == [("sent", None), ("withheld", "no_consent")]
    corner.post(path, allow="marketing.email")
    corner.orders("ann")
    corner.tick(hours=1)
    assert granted(corner) is True
    assert len(corner.mail("ann")) == 2


def test_everything_is_refused_and_a_language_is_kept(corner):
    """
    One button withdraws all that was allowed; the language is a trait after the refresh, and speaks on the page.
    """
    path = link(corner)
    corner.post(path, allow="marketing.email", language="zh-CN")
    corner.core.refresh()
    assert "订阅偏好" in corner.get(path).text
    corner.passes(minutes=1)
    corner.post(path, nothing="1")
    corner.core.refresh()
    assert granted(corner) is False
    assert checked(corner.get(path)) == []


def test_a_mistaken_unsubscribing_is_undone_even_before_anything_was_loaded(corner):
    """
    The refusal and its undoing, seconds apart, leave the person where they were.
    """
    address = re.search(r'href="([^"]*/u/[^"]+)"', html(corner))[1]
    left = corner.post(address, from_page="1").headers["location"]
    said = re.search(r'name="said" value="([^"]+)"', corner.get(left).text)[1]
    assert "subscribed again" in corner.get(corner.post(f"{address}/again", said=said).headers["location"]).text
    corner.core.refresh()
    assert granted(corner) is True


def test_a_link_of_somebody_erased_leads_nowhere(corner):
    """
    The link stays signed, and opens nothing: neither a page nor a way to be known again.
    """
    from spira.unify import erase

    path = link(corner)
    with corner.core.exclusive():
        erase.erase(corner.core.stores(), "user_id:ann", actor="test")
    corner.registers("ben")
    corner.core.refresh()
    assert corner.get(path).status_code == 410
    assert corner.post(path, allow="marketing.email").status_code == 410


def test_who_agrees_knowing_of_the_browsers_signal_is_believed(corner):
    """The signal comes with every request, and is one word: a later agreement stands, and the page says what holds."""
    path, signal = link(corner), {"Sec-GPC": "1"}
    properties = {"purpose": "sale_or_sharing", "channel": "all", "consent_method": "gpc"}
    corner.call(type="track", event="Consent Withdrawn", userId="ann", properties=properties)  # as collection hears it
    corner.tick(minutes=1)
    assert "We do not sell or share your data" in corner.get(f"{path}?lang=en", **signal).text
    corner.passes(minutes=1)
    corner.post(f"{path}/sharing", allow="yes")
    corner.tick(minutes=1)
    heard = corner.core.log.end()
    assert "You have not objected" in corner.get(f"{path}?lang=en", **signal).text
    assert corner.core.log.end() == heard
