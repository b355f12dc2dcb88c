from __future__ import annotations

import pytest

from spira.collect.identifier_rules import IdentifierDefinition, rules_of
from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.testing.houses import at
from spira.unify import profiles, undo
from spira.unify.facts import facts
from spira.unify.named import named

ROOT = Viewer(staff_id="s1", name="Root", roles=frozenset({"operator"}), units=None)
GUIDE = Viewer(staff_id="s2", name="Guide", roles=frozenset({"guide"}), units=frozenset({10}))
READER = Viewer(staff_id="s5", name="Reader", roles=frozenset({"reader"}), units=None)


def test_each_text_names_its_person_or_nobody(desk):
    """Ids, merged ids, kinds and bare values lead to the person of today; strangers and doubts to nobody."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "email", "ann@example.com")
    desk.subject(3, "user_id", "h-2")
    desk.subject(4, "anonymous_id", "h-2")
    house.link(1, 2)
    house.say(1, "Order Completed", hours=-2, store_id="A")
    house.say(3, "Page Viewed", hours=-2)
    house.say(4, "Page Viewed", hours=-2)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9), units=[(10, "A")])
    texts = ["user_id:h-1", " Ann@Example.com ", show_profile(2), "user_id:h-2", "h-2", "nobody", "", show_profile(9)]
    assert named(house.warehouse, ROOT, texts, keys=desk.keys) == [1, 1, 1, 3, None, None, None, None]
    assert named(house.warehouse, GUIDE, texts, keys=desk.keys) == [1, 1, 1, *[None] * 5]
    with pytest.raises(NotAllowed):
        named(house.warehouse, READER, texts, keys=desk.keys)


def test_a_kind_of_the_workspaces_own_names_people_everywhere(desk):
    """A declared kind, written as it says: in a file of people, for facts and for decisions; undeclared it is none."""
    declared = IdentifierDefinition(identifier="loyalty_no", writing="upper", pattern="[A-Z]{2}[0-9]{3}")
    house, rules = desk.house, rules_of([declared])
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "loyalty_no", "AB123")
    house.link(1, 2)
    house.say(1, "Order Completed", hours=-2, store_id="A")
    house.load()
    lane, text = house.warehouse, "loyalty_no: ab123"
    profiles.compute(lane, as_of=at(9), units=[(10, "A")])
    lane.execute("create or replace table tags as select 1::bigint as profile_id, null::timestamp as next_edge_at")

    assert named(lane, ROOT, [text], keys=desk.keys, rules=rules) == [1]
    assert facts(lane, ROOT, text, keys=desk.keys, as_of=at(9), rules=rules).id == show_profile(1)
    assert undo.end(lane, ROOT, desk.keys, text, rules=rules).subject == 2
    assert named(lane, ROOT, [text], keys=desk.keys) == [None]
    with pytest.raises(NotFound):
        undo.end(lane, ROOT, desk.keys, text)
