"""Tag uses: which tags nobody has needed for long, from what definitions read and people ask."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spira.segment import tag_uses
from spira.storage.state import open_state

START = datetime(2026, 1, 1)


def day(number):
    return START + timedelta(days=number)


@pytest.fixture
def state(tmp_path):
    found = open_state(tmp_path / "state.db")
    yield found
    found.close()


def test_a_tag_is_quiet_when_neither_a_definition_nor_anybody_has_used_it_for_ninety_days(state):
    """What definitions read is in use each time it is written down; what is asked in passing counts as well."""
    tag_uses.follow(state, ["read", "asked", "spare"], ["read"], at=day(0))
    tag_uses.note(state, ["asked", "unheard_of"], at=day(50))
    tag_uses.follow(state, ["read", "asked", "spare"], ["read"], at=day(89))
    found = tag_uses.uses(state)
    assert {name: each.used_at for name, each in found.items()} == {"read": day(89), "asked": day(50), "spare": None}
    assert [name for name, each in found.items() if each.is_quiet(day(89))] == []
    assert [name for name, each in found.items() if each.is_quiet(day(90))] == ["spare"]
    assert sorted(name for name, each in found.items() if each.is_quiet(day(140))) == ["asked", "spare"]


def test_a_tag_that_is_worked_out_no_more_is_forgotten_and_begins_anew(state):
    """The row goes with the tag: one that comes back under the same name is not quiet at once."""
    tag_uses.follow(state, ["spare"], [], at=day(0))
    tag_uses.follow(state, [], [], at=day(100))
    assert tag_uses.uses(state) == {}
    tag_uses.follow(state, ["spare"], [], at=day(101))
    assert not tag_uses.uses(state)["spare"].is_quiet(day(102))


def test_asking_again_within_a_day_writes_nothing(state):
    """A condition that is tried at each key costs one write a day and tag."""
    tag_uses.follow(state, ["asked"], [], at=day(0))
    tag_uses.note(state, ["asked"], at=day(1))
    before = state.written
    tag_uses.note(state, ["asked"], at=day(1) + timedelta(hours=23))
    assert state.written == before
    tag_uses.note(state, ["asked"], at=day(2))
    assert tag_uses.uses(state)["asked"].used_at == day(2)
