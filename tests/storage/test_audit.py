"""The audit: finding acts again. That it is a chain is proven in the suite of `spira.testing.states`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from spira.kernel.clock import FrozenClock
from spira.storage import audit
from spira.storage.audit import Sought
from spira.testing.houses import NOON
from spira.testing.states import empty_state

ACTS = ("clock.step", "erase", "erase.receipt", "erasing_nothing", "staff.sign_in", "staff.end")


@pytest.fixture
def state(tmp_path):
    clock = FrozenClock(NOON)
    with empty_state(tmp_path) as opened:
        for number, action in enumerate(ACTS):
            audit.record(opened, clock, actor="ann" if number % 2 else "bob", action=action, subject=f"s{number}")
            clock.step(timedelta(days=1))
        yield opened


def found(state, **sought):
    return [row.action for row in audit.latest(state, sought=Sought(**sought))]


def test_pages_by_number_neither_repeat_nor_skip(state):
    """The next page begins below the number of the last row of the page before."""
    first = audit.latest(state, limit=4)
    rest = audit.latest(state, limit=4, before=first[-1].number)
    assert [row.number for row in (*first, *rest)] == [6, 5, 4, 3, 2, 1]


def test_a_family_is_a_word_before_the_dot_and_not_a_beginning(state):
    """`erase` finds `erase` and `erase.receipt`, and not `erasing_nothing`; a wild card stands for itself."""
    assert found(state, family="erase") == ["erase.receipt", "erase"]
    assert found(state, family="%") == []


def test_acts_are_found_by_who_did_them_to_what_and_when(state):
    """Every condition that is given must hold; the end of a range is not part of it."""
    assert found(state, actor="ann", family="staff") == ["staff.end"]
    assert found(state, subject="s0") == ["clock.step"]
    assert found(state, since=NOON + timedelta(days=1), until=NOON + timedelta(days=3)) == ["erase.receipt", "erase"]


def test_what_there_is_to_choose_by_comes_from_the_acts(state):
    """Families and actors are those of the rows, each once, in order."""
    assert audit.kinds(state) == (("clock", "erase", "erasing_nothing", "staff"), ("ann", "bob"))


def test_a_row_is_found_by_its_number(state):
    """One act by its number, and none for a number nobody gave."""
    act = audit.one(state, 3)
    assert act is not None
    assert act.action == "erase.receipt"
    assert audit.one(state, 99) is None
