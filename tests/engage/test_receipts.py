from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.envelope import Emitted, OwnEvent, decode
from spira.engage import leaving, links, preferences, receipts
from spira.engage.delivery.stage import run
from spira.engage.links import BadLink, Link, Links
from spira.kernel.clock import iso
from spira.kernel.errors import Conflict, NotAllowed
from spira.sandbox.inbox import Inbox
from spira.storage import log
from spira.testing.houses import House
from spira.testing.walks import SHOP, Outside, applied

KEY = b"k" * 32


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with House() as house, Outside(house, tmp_path, applied(SHOP)) as made, Inbox(keys=made.keys) as inbox:
        made.applied = applied(SHOP.replace("port: 2525", f"port: {inbox.port}"))
        made.ask(made.reachable(1, "one@example.com"))
        run(made)
        made.clock.step(timedelta(hours=1))
        yield made


def say(outside: Outside, **told: object) -> int:
    body = msgspec.json.encode({"delivery_id": "1", "at": iso(outside.as_of), **told})
    key = receipts.secret_of(outside.keys, outside.applied.get("channel", "email").model)
    return receipts.receive(outside, "email", body, receipts.sign_body(key, body))


def token(outside: Outside, way: str, **more: object) -> str:
    return links.sign(outside.keys.derive(links.PURPOSE), Link(way=way, delivery_id=1, **more))  # type: ignore[arg-type]


def events(outside: Outside) -> list[str]:
    outside.load()
    found = outside.warehouse.query("select event from events where source = 'spira' order by event_id")
    return [event for (event,) in found]


def said(outside: Outside) -> list[OwnEvent]:
    """What was appended to the log of Spira's own events, oldest first."""
    records = log.read(outside.directory / "log", outside.keys, log.BEGINNING, limit_bytes=1 << 30).records
    return [event for raw in records if isinstance(record := decode(raw), Emitted) for event in record.events]


def test_what_readers_and_providers_tell_ends_in_the_delivery(outside: Outside) -> None:
    """
    Delivered, opened, clicked: each is an event once however often it is told, and the delivery knows when.
    """
    assert say(outside, fate="delivered") == 1
    say(outside, fate="delivered")
    assert receipts.opened(outside, token(outside, "o")) == receipts.GIF
    receipts.opened(outside, token(outside, "o"))
    target = receipts.clicked(outside, token(outside, "c", number=1, target="https://shop.example/?a=1")).target
    assert target == "https://shop.example/?a=1"
    assert events(outside) == ["Email Delivered", "Email Opened", "Email Link Clicked"]
    run(outside)
    row = "select state, delivered_at, opened_at, clicked_at from deliveries"
    assert outside.warehouse.query(row) == [("delivered", outside.as_of, outside.as_of, outside.as_of)]


def test_a_bounce_outweighs_a_delivery(outside: Outside) -> None:
    """
    Providers take a message and bounce it later; the receipts may come in either order.
    """
    say(outside, fate="bounced", hard=True)
    outside.load()
    run(outside)
    say(outside, fate="delivered")
    outside.load()
    run(outside)
    assert outside.states() == {1: ("bounced", None)}
    assert outside.warehouse.value("select bounce_type from events where event = 'Email Bounced'") == "hard"


def test_unsubscribing_is_asked_first_and_done_on_post(outside: Outside) -> None:
    """
    Looking at the page emits nothing; one click emits a withdrawal for the purpose and channel of the message.
    """
    found = receipts.unsubscribing(outside, token(outside, "u"))
    assert (found.purpose, found.channel) == ("marketing", "email")
    assert events(outside) == []
    receipts.unsubscribe(outside, token(outside, "u"))
    receipts.unsubscribe(outside, token(outside, "u"))
    assert events(outside) == ["Unsubscribed"]
    said = outside.warehouse.query("select purpose, channel, delivery_id from events where event = 'Unsubscribed'")
    assert said == [("marketing", "email", 1)]


def test_who_agreed_again_can_unsubscribe_again_by_the_same_message(outside: Outside) -> None:
    """
    An unsubscribing is an event of its instant, not of its message.
    """
    receipts.unsubscribe(outside, token(outside, "u"))
    outside.clock.step(timedelta(days=1))
    receipts.unsubscribe(outside, token(outside, "u"))
    assert events(outside) == ["Unsubscribed", "Unsubscribed"]


def test_a_receipt_without_the_right_signature_is_refused(outside: Outside) -> None:
    """
    Nobody else can say what became of our messages.
    """
    body = msgspec.json.encode({"delivery_id": "1", "fate": "bounced", "hard": True, "at": iso(outside.as_of)})
    for signature in (None, "", "0" * 64, receipts.sign_body(b"another", body)):
        with pytest.raises(NotAllowed):
            receipts.receive(outside, "email", body, signature)
    assert events(outside) == []


def test_a_provider_can_tell_of_its_own_deliveries_only(outside: Outside) -> None:
    """
    Whoever holds one channel's secret can't make the addresses of another channel bounce.
    """
    outside.warehouse.execute("update deliveries set channel = 'text_messages'")
    assert say(outside, fate="bounced", hard=True) == 0
    assert events(outside) == []


def test_a_receipt_of_a_delivery_nobody_knows_is_passed_over(outside: Outside) -> None:
    """
    It tells of nothing, and the others in the same call are taken.
    """
    at = iso(outside.as_of)
    body = msgspec.json.encode(
        [{"delivery_id": "77", "fate": "delivered", "at": at}, {"delivery_id": "1", "fate": "delivered", "at": at}]
    )
    key = receipts.secret_of(outside.keys, outside.applied.get("channel", "email").model)
    assert receipts.receive(outside, "email", body, receipts.sign_body(key, body)) == 1


@pytest.mark.parametrize("broken", [b"{", b'{"delivery_id": "1", "fate": "delivered"}', b'[{"at": 3}]'])
def test_a_receipt_that_makes_no_sense_is_told_so(outside: Outside, broken: bytes) -> None:
    """
    A provider's mistake gets an answer that says what is wrong.
    """
    key = receipts.secret_of(outside.keys, outside.applied.get("channel", "email").model)
    with pytest.raises(receipts.BadReceipt):
        receipts.receive(outside, "email", broken, receipts.sign_body(key, broken))


@given(st.integers(0, (1 << 60) - 1), st.integers(0, 500), st.text(max_size=60))
def test_a_link_says_what_was_signed_and_nothing_else(delivery: int, number: int, target: str) -> None:
    """
    Reading a token gives back the link; for another way or with another key it is none of ours.
    """
    link = Link(way="c", delivery_id=delivery, number=number, target=target)
    made = links.sign(KEY, link)
    assert links.read(KEY, "c", made) == link
    with pytest.raises(BadLink):
        links.read(KEY, "u", made)
    with pytest.raises(BadLink):
        links.read(b"other", "c", made)


@given(st.integers(0, 40), st.characters(codec="ascii"))
def test_a_link_that_was_changed_anywhere_is_refused(place: int, character: str) -> None:
    """
    No character can be exchanged: the redirect leads nowhere but where the message did.
    """
    made = links.sign(KEY, Link(way="c", delivery_id=7, number=1, target="https://shop.example/"))
    changed = made[:place] + character + made[place + 1 :]
    if changed != made:
        with pytest.raises(BadLink):
            links.read(KEY, "c", changed)


def test_links_hold_nothing_personal() -> None:
    """
    A link is the public address, a letter for the way, and a token.
    """
    made = Links(key=KEY, base_url="https://t.example.com")
    assert made.unsubscribe(7).startswith("https://t.example.com/u/")
    assert len(made.unsubscribe(7)) < 60


def test_a_message_leads_to_the_preferences_of_the_address_it_went_to(outside: Outside) -> None:
    """
    `preferences_url` opens the address's own page; a choice becomes a word on consent, a language a trait.
    """
    shown = preferences.of_subject(outside, 1001)
    assert (shown.kind, shown.address) == ("email", "o***")
    assert shown.grants("marketing", "email")
    note = preferences.save(outside, shown, [("service", "email")], "zh-CN")
    again = preferences.of_subject(outside, 1001, note)
    assert (again.grants("marketing", "email"), again.language, again.pending) == (False, "zh-CN", True)
    records = said(outside)
    assert [each.event for each in records] == ["Consent Withdrawn", "Language Chosen"]
    assert records[1].traits == {"language": "zh-CN"}


def test_an_undoing_is_a_word_of_its_own_and_later_than_the_refusal(outside: Outside) -> None:
    """
    Even where the clock stands still the second thought comes after the first, and is not said twice.
    """
    token_of = token(outside, "u")
    note = leaving.leave(outside, token_of)
    back = leaving.undo(outside, token_of, note)
    assert leaving.look(outside, token_of, back).state == "back"
    with pytest.raises(Conflict):
        leaving.undo(outside, token_of, back)
    refused, given_again = said(outside)
    assert (refused.event, given_again.event) == ("Unsubscribed", "Consent Given")
    assert given_again.at > refused.at
