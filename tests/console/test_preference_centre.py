from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.console.test_public import ADDRESS, centre, core  # noqa: F401  (`core` is a fixture)

from spira.engage import codes
from spira.engage.channels.definition import ChannelDefinition
from spira.kernel.errors import ChannelUnavailable
from spira.storage import audit
from spira.testing.houses import NOON

CHANNEL = ChannelDefinition(channel="email", kind="email", host="127.0.0.1", port=1, sender="Shop <a@shop.example>")


class _Applied:
    """What is applied: one channel of e-mail."""

    def of(self, kind):
        return [CHANNEL] if kind == "channel" else []

    def find(self, kind, name):  # noqa: ARG002  (the shape of it)
        return None


@pytest.fixture
def letters(app, core):  # noqa: F811
    sent = []
    core.applied = _Applied()

    def send(channel, message, told):
        if message is not None:
            sent.append((channel.channel, message))
        told("sent" if message is not None else "withheld")

    app.state.send_code = send
    return sent


def asked(client, address="p1@example.com"):
    return client.post("/preferences", data={"address": address})


def known_address(core):  # noqa: F811
    key = core.house.warehouse.value("select subject_key from identifiers where subject_id = ?", [ADDRESS])
    return core.vault.open([key])[key]


def challenge(page):
    return re.search(r'name="challenge" value="([^"]+)"', page.text)[1]


def test_a_code_opens_the_page_of_the_address_that_it_was_sent_to(client, core, letters):  # noqa: F811
    """The address is written to once; its code leads to a signed page, once, and no cookie is set."""
    page = asked(client, known_address(core))
    ((channel, message),) = letters
    code = re.search(r"\b\d{6}\b", message.text)[0]
    assert (channel, message.address) == ("email", known_address(core))
    told = {"challenge": challenge(page), "code": f" {code[:3]} {code[3:]}"}
    answer = client.post("/preferences/code", data=told, follow_redirects=False)
    assert client.get(answer.headers["location"]).status_code == 200
    assert client.post("/preferences/code", data=told).status_code == 403
    assert "set-cookie" not in {**page.headers, **answer.headers}


def test_nobody_learns_whether_an_address_is_known(client, core, letters):  # noqa: F811
    """The same page, byte for byte but for the challenge; and no code of an unknown address opens anything."""
    unknown, nonsense, known = (
        asked(client, "nobody@example.com"),
        asked(client, "?"),
        asked(client, known_address(core)),
    )
    assert len(letters) == 1
    plain = {re.sub(r'value="[^"]+"', "", each.text) for each in (unknown, nonsense, known)}
    assert ({unknown.status_code, nonsense.status_code, known.status_code}, len(plain)) == ({200}, 1)
    sizes = {len(challenge(each)) for each in (unknown, known)}
    assert len(sizes) == 1


def test_a_code_is_good_for_ten_minutes_and_five_tries(client, core, letters, wall):  # noqa: F811
    """After that the right one is as wrong as any other."""
    pages = [asked(client, known_address(core)) for _ in range(2)]
    right = [re.search(r"\b\d{6}\b", message.text)[0] for _, message in letters]
    wrong = {"challenge": challenge(pages[0]), "code": "000000" if right[0] != "000000" else "000001"}
    assert [client.post("/preferences/code", data=wrong).status_code for _ in range(codes.TRIES)] == [403] * codes.TRIES
    assert client.post("/preferences/code", data={**wrong, "code": right[0]}).status_code == 403
    wall.step(codes.LIVES + timedelta(seconds=1))
    late = {"challenge": challenge(pages[1]), "code": right[1]}
    page = client.post("/preferences/code", data=late)
    assert (page.status_code, "This code is wrong or too old." in page.text) == (403, True)


def test_an_address_gets_three_codes_an_hour_known_or_not(client, core, letters):  # noqa: F811
    """The fourth is refused alike."""
    for address in (known_address(core), "nobody@example.com"):
        found = [asked(client, address).status_code for _ in range(codes.FOR_ADDRESS + 1)]
        assert found == [200] * codes.FOR_ADDRESS + [429]
    assert len(letters) == codes.FOR_ADDRESS


def test_each_code_is_written_down_under_a_hash_and_only_a_dead_address_gets_none(client, core, letters):  # noqa: F811
    """Who complained still comes to their preferences by themselves; an address that bounced for good does not."""
    address = known_address(core)
    key = core.house.warehouse.value("select subject_key from identifiers where subject_id = ?", [ADDRESS])
    for reason, sent in (("complaint", 1), ("hard_bounce", 1)):
        core.house.warehouse.execute("delete from suppressions where address_key = ?", [key])
        core.house.put("suppressions", address_key=key, channel="email", reason=reason)
        assert asked(client, address).status_code == 200
        assert len(letters) == sent
    rows = [each for each in audit.latest(core.state) if each.action == "code.send"]
    assert [(row.actor, row.subject, row.detail) for row in rows] == [
        ("person", key, {"channel": "email", "outcome": "sent"})
    ]
    (held,) = [each for each in audit.latest(core.state) if each.action == "code.withheld"]
    assert (held.subject, held.detail) == (key, {"channel": "email", "reason": "suppressed"})
    assert address not in str(rows)


def test_a_provider_that_does_not_answer_says_nothing_of_the_address(caplog):
    """What goes wrong on sending is told to the program's log by its kind alone."""

    class Silent:
        channel, kind, options = "email", "email", {"host": "127.0.0.1", "port": 1, "sender": "Shop <a@shop.example>"}

    message = codes.OutgoingMessage(delivery_id="1", address="ann@example.com", text="1", at=NOON)
    ended: list[str] = []
    codes.send_now(Silent(), message, ended.append)  # type: ignore[arg-type]
    assert ended == ["failed"]
    assert ChannelUnavailable.__name__ in caplog.text
    assert "ann@" not in caplog.text


def test_wishes_are_kept_and_shown_at_once(client, core):  # noqa: F811
    """A cap, quiet hours and personal content off, on the page that saving leads to; nonsense is no wish."""
    page = client.post(
        centre(core),
        data={"allow": "service.email", "asked_personal": "1", "most": "2", "quiet": "21:00-08:00"},
    )
    assert '<option value="2" selected>' in page.text
    assert '<option value="21:00-08:00" selected>' in page.text
    assert 'name="personal" value="on">' in page.text
    again = client.post(str(page.url), data={"most": "1000", "quiet": "whenever"})
    assert "selected>1000" not in again.text


def test_why_names_only_messages_to_the_address_of_the_link(client, core):  # noqa: F811
    """Each with its purpose and the word it rests on; a page without any says so."""
    page = client.get(f"{centre(core)}/why")
    assert page.status_code == 200
    assert "Why you got these messages" in page.text
    assert "p***" in page.text
    assert client.get("/p/nonsense/why").status_code == 404
