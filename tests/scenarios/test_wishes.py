"""Giving, a notice that changes, withdrawing by a word, a cap of one's own, and personal content off: end to end."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from tests.scenarios.shop import FILES, shop
from tests.scenarios.test_preferences import html, link

from spira.testing.cores import ROOT

MARCH = datetime(2026, 3, 2, 10)
NOTICE = """\
notice: offers
purpose: marketing
channels: [email]
versions:
  - {version: 1, text: {zh-CN: 我愿意收到优惠。, en: I would like to hear of offers.}}
"""
NEWS = """\
journey: news
label: {zh-CN: 订单之后, en: After an order}
enter: {event: Order Completed, key: order_id, again: always}
holdout: 0%
steps:
  - branch:
      - when: spent > 5
        steps: [{send: {channel: email, template: we_miss_you}}]
      - else: [{send: {channel: email, template: a_gift}}]
"""
CARE = """\
journey: care
label: {zh-CN: 售后, en: After care}
enter: {event: Order Completed, key: order_id, again: always}
purpose: service
holdout: 0%
steps: [{send: {channel: email, template: a_gift}}]
"""
LETTER = '<html><body><p>To {{ name }} of {{ city }}</p><a href="{{ preferences_url }}">Choose</a></body></html>\n'


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    files = {**FILES, "journeys/win_back.yaml": NEWS, "notices/offers.yaml": NOTICE}
    files |= {"templates/we_miss_you.html": LETTER, "templates/a_gift.html": LETTER}
    with shop(tmp_path_factory.mktemp("shop"), at=MARCH, files=files) as made:
        made.tick(minutes=1)
        made.registers("ann", consents=True, city="Qingdao")
        made.tick(minutes=1)
        yield made


def buys(corner) -> tuple[str, str | None]:
    """Ann buys, two days later; what became of the message that follows."""
    corner.passes(days=2)
    corner.orders("ann")
    corner.tick(hours=1)
    return corner.fates("ann")[-1][1:]


def word(corner) -> tuple[object, ...]:
    asked = "select said, lapsed, notice, notice_version from consents where profile_id = ? and channel = 'email'"
    return corner.core.lane().one(asked, [corner.profile("ann")])


def fate(corner, person: str) -> dict[str, tuple[str, str | None]]:
    """What became of the latest message of each purpose."""
    rows = corner.core.lane().query(
        "select purpose, state, reason from deliveries where profile_id = ? order by created_at, delivery_id",
        [corner.profile(person)],
    )
    return {purpose: (state, reason) for purpose, state, reason in rows}


def applies(corner) -> None:
    """The files as they lie there come into force."""
    corner.core.apply(ROOT)


def test_a_copy_and_an_erasure_are_asked_for_on_the_page(corner):
    """
    Each becomes a request with a deadline, once, and the page says by when it is answered.
    """
    assert buys(corner) == ("sent", None)
    page = link(corner)
    for right in ("access", "erasure", "erasure"):
        shown = corner.get(corner.post(f"{page}/ask", right=right).headers["location"]).text
    assert "You asked to be erased." in shown
    assert len(re.findall(r"You have our answer by", shown)) == 2
    assert corner.post(f"{page}/ask", right="everything").status_code == 404


def test_a_child_is_served_by_a_guardians_word_and_a_household_shares_its_cap(corner):
    """
    Kim is eleven: nothing comes before a guardian agrees, and no marketing after. Pat and Sam get one letter for both.
    """
    home = corner.core.directory
    (home / "journeys" / "care.yaml").write_text(CARE)
    channel = home / "channels" / "email.yaml"
    channel.write_text(channel.read_text() + "household_caps: {marketing: 1 per 7 days}\n")
    applies(corner)
    corner.registers("kim", consents=True, birth_date="2014-05-05")
    for person in ("pat", "sam"):
        corner.registers(person, consents=True, family_account="fam")
    corner.tick(minutes=1)
    corner.passes(days=1)
    for person in ("kim", "pat", "sam"):
        corner.orders(person)
    corner.tick(hours=1)
    assert fate(corner, "kim") == {"marketing": ("withheld", "minor"), "service": ("withheld", "minor")}
    assert sorted(fate(corner, person)["marketing"] for person in ("pat", "sam")) == [
        ("sent", None),
        ("withheld", "household_cap"),
    ]
    said = {"purpose": "guardian", "channel": "all"}
    corner.call(type="track", event="Consent Given", userId="kim", properties=said)
    corner.tick(minutes=1)
    corner.passes(days=1)
    corner.orders("kim")
    corner.tick(hours=1)
    assert fate(corner, "kim") == {"marketing": ("withheld", "minor"), "service": ("sent", None)}
    (home / "journeys" / "care.yaml").unlink()
    applies(corner)


def test_what_a_person_wants_holds_from_then_on(corner):
    """
    Each wish reaches the gate and the text of the next message, and the page shows how each came about.
    """
    assert buys(corner) == ("sent", None)
    assert "To Ann of Qingdao" in html(corner)
    page = link(corner)

    # The notice asks anew: nothing goes out until Ann has agreed to its second version.
    renewed = NOTICE + "  - {version: 2, renew: true, text: {zh-CN: 每周优惠。, en: Offers each week.}}\n"
    (corner.core.directory / "notices" / "offers.yaml").write_text(renewed)
    applies(corner)
    assert buys(corner) == ("withheld", "no_consent")
    assert word(corner) == (True, "renewal", None, None)
    shown = corner.get(page).text
    assert "Offers each week." in shown
    assert 'value="marketing.email" checked' not in shown
    corner.post(page, allow="marketing.email")
    assert buys(corner) == ("sent", None)
    assert word(corner) == (True, None, "offers", 2)

    # At most one a week: the next is withheld by her own cap, and one goes again when the week is over.
    corner.post(page, allow="marketing.email", most="1")
    assert buys(corner) == ("withheld", "own_cap")
    corner.passes(days=7)
    assert buys(corner) == ("sent", None)

    # Personal content off: the way for everybody, and nothing in the text that is known of her.
    corner.post(page, allow="marketing.email", most="any", asked_personal="1")
    assert buys(corner) == ("sent", None)
    assert corner.fates("ann")[-1][0] == "a_gift"
    assert "To  of " in html(corner)
    why = corner.get(f"{page}/why").text
    assert "It followed something that you did" in why
    assert "Its text was the same for everybody." in why

    # A word by answering is as good as the page.
    corner.call(type="track", event="Message Received", userId="ann", properties={"channel": "email", "text": "退订！"})
    assert buys(corner) == ("withheld", "no_consent")
