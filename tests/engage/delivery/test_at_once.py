"""At once: a message that its reader waits for gets the answer of any transactional one, but for complaints."""

from __future__ import annotations

import pytest

from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.at_once import AtOnce, judge
from spira.engage.delivery.gate import decide
from spira.testing.houses import NOON, House

CHANNEL = ChannelDefinition(channel="letters", kind="email", host="127.0.0.1", port=1, sender="Shop <a@shop.example>")


@pytest.fixture(scope="module")
def house():
    """Four people with an address each: nothing said, refused everything, complained, bounced for good."""
    with House() as made:
        for person in range(1, 5):
            made.subject(person, "user_id")
            made.subject(person + 10, "email", f"key{person}")
            made.put("moved", subject_id=person + 10, profile_id=person)
            made.put("profiles", profile_id=person)
            made.put(
                "outbox", outbox_id=person, profile_id=person, channel="letters", template="code",
                purpose="transactional", created_at=NOON,
            )  # fmt: skip
        made.put("permissions", profile_id=2, purpose="transactional", channel="email", granted=False)
        made.put("restricted", profile_id=2)
        for person, reason in ((3, "complaint"), (4, "hard_bounce")):
            made.put("suppressions", address_key=f"key{person}", channel="email", reason=reason)
        decide(made.warehouse, [CHANNEL], ["code"], NOON, zone="UTC")
        yield made


def test_it_agrees_with_the_gate_on_a_transactional_message_but_for_a_complaint(house):
    """Neither refusal nor rest is in the way; a dead address is; a complaint is only where we want to say something."""
    gate = dict(house.warehouse.query("select profile_id, reason from deliveries"))
    mine = {person: judge(house.warehouse, CHANNEL, f"key{person}").reason for person in gate}

    assert gate == {1: None, 2: None, 3: "suppressed", 4: "suppressed"}
    assert mine == {**gate, 3: None}


def test_an_address_of_nobody_and_a_channel_that_is_none_have_the_gates_reasons(house):
    """So what is written down has the words that staff know."""
    assert judge(house.warehouse, CHANNEL, "nobody") == AtOnce(subject_id=None, reason="unreachable")
    assert judge(house.warehouse, None, "key1") == AtOnce(subject_id=None, reason="no_channel")
    assert judge(house.warehouse, CHANNEL, "key1") == AtOnce(subject_id=11, reason=None)


def test_a_known_address_and_one_of_nobody_are_asked_by_the_same_statement(house, monkeypatch):
    """So the time that an answer takes tells nobody whose address is known."""
    asked = []
    answer = house.warehouse.query

    def query(sql, params=None):
        asked.append(sql)
        return answer(sql, params)

    monkeypatch.setattr(house.warehouse, "query", query)
    for key in ("key1", "key3", "key4", "nobody"):
        judge(house.warehouse, CHANNEL, key)

    assert asked == [asked[0]] * 4
