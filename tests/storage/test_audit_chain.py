"""The audit's chain: whatever somebody does to the rows behind Spira's back is found, and named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.clock import FrozenClock
from spira.storage import audit, audit_chain
from spira.storage.audit import AUDIT
from spira.storage.audit_chain import examine
from spira.testing.houses import NOON
from spira.testing.states import empty_state, unguarded

ROWS = 8


def filled(directory):
    """A state with an audit of eight rows, and nobody to guard it."""
    state = empty_state(directory)
    for number in range(1, ROWS + 1):
        audit.record(state, FrozenClock(NOON), actor="ann", action="act", subject=f"s{number}")
    return state


@pytest.fixture
def state(tmp_path):
    with filled(tmp_path) as opened:
        yield opened


@pytest.fixture
def open_one(state):
    """The same, where the triggers were taken away."""
    with state.write() as connection:
        unguarded(connection)
    return state


def found(state, **more):
    return [(each.why, each.first, each.last, each.belongs) for each in examine(state, **more).faults]


def swap(connection, one, two):
    """Exchange the numbers of two rows."""
    for number, other in ((one, -1), (two, one), (-1, two)):
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == number).values(number=other))


def test_the_database_itself_refuses_to_change_or_delete_a_row(state):
    """An update and a delete fail, whoever asks for them, and the chain stays whole."""
    for statement in (sa.update(AUDIT).values(actor="bob"), sa.delete(AUDIT)):
        with pytest.raises(sa.exc.DBAPIError, match="only added to"), state.write() as connection:
            connection.execute(statement)
    assert examine(state).whole
    assert audit_chain.head(state) == (ROWS, examine(state).head)


def test_changed_missing_and_moved_rows_are_told_apart(open_one):
    """Each is named with its number; those that only stand beside them are not at fault."""
    with open_one.write() as connection:
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == 2).values(detail="{}", subject="other"))
        connection.execute(sa.delete(AUDIT).where(AUDIT.c.number == 4))
        swap(connection, 6, 7)
    assert found(open_one) == [("changed", 2, 2, None), ("missing", 4, 4, None), ("moved", 6, 6, 7), ("moved", 7, 7, 6)]


def test_a_row_whose_hash_was_made_anew_breaks_the_next(open_one):
    """Who recomputes one hash is found out by the row behind it."""
    with open_one.write() as connection:
        rows = {row["number"]: row for row in connection.execute(sa.select(AUDIT)).mappings()}
        forged = {**rows[3], "actor": "bob"}
        forged["hash"] = audit.hash_of(rows[2]["hash"], forged)
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == 3).values(actor="bob", hash=forged["hash"]))
    assert found(open_one) == [("changed", 4, 4, None)]


def test_a_head_that_was_written_down_finds_what_was_cut_off(open_one):
    """Rows taken from the end leave no gap; the head from before says that they were there."""
    head = examine(open_one).head
    assert examine(open_one, expected=head).whole
    with open_one.write() as connection:
        connection.execute(sa.delete(AUDIT).where(AUDIT.c.number > 6))
    assert examine(open_one).whole
    assert found(open_one, expected=head) == [("cut", 7, 8, None)]
    assert [each[0] for each in found(open_one, expected=f"2:{'0' * 64}")] == ["changed"]


def test_an_empty_audit_is_whole(tmp_path):
    """Nothing was done, so nothing is wrong."""
    with empty_state(tmp_path) as state:
        assert examine(state) == audit_chain.Chain(rows=0, head=None, faults=())


@given(st.data())
@settings(max_examples=examples(6), deadline=None)
def test_no_tampering_with_one_row_passes(tmp_path_factory, data):
    """Whatever column of whatever row is changed, or whichever but the last is deleted, the chain is not whole."""
    number = data.draw(st.integers(1, ROWS - 1))
    column = data.draw(st.sampled_from(["actor", "action", "subject", "detail", "hash", "gone"]))
    with filled(tmp_path_factory.mktemp("audit")) as state:
        with state.write() as connection:
            unguarded(connection)
            mine = AUDIT.c.number == number
            gone = sa.delete(AUDIT).where(mine)
            connection.execute(gone if column == "gone" else sa.update(AUDIT).where(mine).values({column: "tampered"}))
        first = examine(state).faults[0].first
        assert number <= first <= number + 1
