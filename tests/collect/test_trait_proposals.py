"""Traits that nobody declared are proposed by how they look, and once declared so they are taken."""

from __future__ import annotations

from io import StringIO

from ruamel.yaml import YAML
from tests.collect.desk import RETAIL

from spira.collect import proposals
from spira.collect.tracking import TrackingDefinition, plan_of


def told(desk, *people):
    """Identify calls of as many people; what is proposed then."""
    desk.batch(
        *(
            {"type": "identify", "userId": f"u{number}", "messageId": f"i{number}", "traits": traits}
            for number, traits in enumerate(people)
        )
    )
    desk.load()
    return proposals.propose(desk.warehouse, desk.plan, as_of=desk.clock.now())


def read(text):
    return YAML(typ="safe").load(StringIO(text))


FULL = {"level": 3, "points": 1.5, "vip": True, "joined": "2026-01-02", "seen": "2026-01-02T10:00:00Z",
        "hobby": "tea", "wishes": ["a"], "home": {"x": 1}, "Bad Name": 1, "gone": None, "postcode": "0632",
        "mobile_phone": "see the card", "age": 30, "city": "Yantai", "email": "anna@shop.example"}  # fmt: skip


def test_traits_are_proposed_by_how_their_values_look(desk):
    """Numbers, truths, days, instants, texts; what can't be declared says why; declared ones are not there."""
    found = told(desk, FULL).traits
    assert {each.name: each.type or each.why_not for each in found.traits} == {
        "level": "integer", "points": "number", "vip": "boolean", "joined": "date", "seen": "time", "hobby": "text",
        "wishes": "list", "home": "object", "Bad Name": "name", "gone": "nothing", "postcode": "text",
        "mobile_phone": "text",
    }  # fmt: skip
    assert read(found.text)["traits"]["mobile_phone"] == {"type": "text", "privacy": "contact"}
    assert "write text if it is sent in quotation marks" in found.text


def test_values_of_several_looks_are_text_or_stay(desk):
    """A text here and a number there is a text; a truth here and a number there is nothing that can be declared."""
    (size, sure) = sorted(told(desk, {"size": "L", "sure": True}, {"size": 42, "sure": 1}).traits.traits, key=str)
    assert (size.type, size.types) == ("text", {"integer": 1, "text": 1})
    assert (sure.type, sure.why_not) == (None, "mixed")


def test_only_values_that_several_people_share_are_shown(desk):
    """What one or two people have is nobody's business here, and contact values are nobody's at all."""
    people = [{"hobby": "tea", "mobile_phone": "same"}] * 3 + [{"hobby": "gliding"}] * 2
    samples = {each.name: each.samples for each in told(desk, *people).traits.traits}
    assert samples == {"hobby": ("tea",), "mobile_phone": ()}


def test_what_is_proposed_can_be_declared_and_then_is_taken(desk):
    """The whole text is a part of a plan; with it nothing is proposed any more and the next call is typed."""
    found = told(desk, FULL)
    assert read(found.text)["traits"].keys() == read(found.traits.text)["traits"].keys()
    parts = [TrackingDefinition.model_validate(each) for each in (RETAIL, read(found.text))]
    desk.plan = plan_of(parts)
    again = told(desk, FULL | {"userId": "u9"}).traits
    assert {each.name for each in again.traits if each.type} == set()
    assert desk.refused() == []
