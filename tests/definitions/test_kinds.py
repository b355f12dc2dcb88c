"""The registry of kinds, and the world that checks look around in."""

import pytest

from spira.definitions.kinds import KINDS, Kind, World, kind, kind_by_key
from spira.kernel.errors import NotFound
from spira.kernel.settings import Settings


def test_a_kind_is_found_by_name_and_by_the_key_of_its_files():
    """
    The key is the name, unless the kind says another.
    """
    odd = kind(Kind(name="odd", folder="odds", model=KINDS.get("note").model, name_field="oddity"))
    assert kind_by_key("note") is KINDS.get("note")
    assert kind_by_key("oddity") is odd
    assert kind_by_key("odd") is None
    with pytest.raises(NotFound, match="no kind of definition called `nte`"):
        KINDS.get("nte")


def test_a_world_knows_broken_definitions_by_name_only(of_text):
    """
    A name with faults counts as known, so that nobody is told twice, but it has no model.
    """
    world = of_text("note: a\n---\nnote: b\nsize: x\n").world()
    assert world.names("note") == ["a", "b"]
    assert world.knows("note", "b")
    assert world.get("note", "b") is None
    assert [each.name for each in world.of("note")] == ["a"]


def test_what_checks_share_is_made_once():
    """
    The first who asks makes it; the others get the same.
    """
    world = World((), Settings())
    made = []
    for _ in range(2):
        world.memo("catalogue", lambda: made.append(1) or made)
    assert made == [1]
