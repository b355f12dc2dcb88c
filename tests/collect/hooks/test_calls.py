"""The latest calls of a hook survive a restart, sealed, without a word of what was in them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from spira.collect.hooks.calls import HOOK_CALLS, KEPT, LATEST, HookCalls
from spira.storage.state import METADATA
from spira.testing.states import empty_state, fixed_keys

NOON = datetime(2026, 3, 1, 12)


@pytest.fixture
def state(tmp_path):
    made = empty_state(tmp_path)
    METADATA.create_all(made.engine, tables=[HOOK_CALLS])
    yield made
    made.close()


def note(calls, hook="forum", *, code="ok", detail="", at=NOON, count=1):
    for number in range(count):
        calls.note(hook, at=at + timedelta(seconds=number), status=200, code=code, detail=detail, events=1, size=9)


def rows(state):
    with state.read() as connection:
        return connection.execute(sa.select(HOOK_CALLS)).all()


def test_what_came_is_known_after_a_restart(state):
    """The newest calls first, counted over all of them, and numbers go on where they were."""
    calls = HookCalls(state, fixed_keys())
    note(calls, code="bad_signature", detail="the signature is another")
    note(calls, count=LATEST + 5)
    calls.close()
    again = HookCalls(state, fixed_keys())
    assert again.latest("forum") == calls.latest("forum")
    assert again.codes("forum") == {"bad_signature": 1, "ok": LATEST + 5}
    note(again)
    assert [each.number for each in again.latest("forum")[:2]] == [LATEST + 7, LATEST + 6]
    again.close()


def test_why_a_call_could_not_be_mapped_is_not_written(state):
    """It may quote the body, so it is shown until the next start only; other reasons stay."""
    calls = HookCalls(state, fixed_keys())
    note(calls, code="quarantined", detail="`Anna` is no number")
    note(calls, code="stale", detail="too far from now")
    calls.close()
    assert calls.latest("forum")[1].detail == "`Anna` is no number"
    assert [each.detail for each in HookCalls(state, fixed_keys()).latest("forum")] == ["too far from now", ""]
    assert b"too far" not in rows(state)[0].sealed


def test_a_row_that_can_not_be_opened_is_no_reason_not_to_start(state):
    """With other keys, as after a restore without them, nothing is known and calls are noted on."""
    calls = HookCalls(state, fixed_keys())
    note(calls)
    calls.close()
    with state.write() as connection:
        connection.execute(sa.update(HOOK_CALLS).values(sealed=b"\x01\x00\x00 nothing that was ever sealed"))
    other = HookCalls(state, fixed_keys())
    assert other.latest("forum") == ()
    note(other)
    other.close()
    assert len(HookCalls(state, fixed_keys()).latest("forum")) == 1


def test_the_calls_of_a_hook_that_is_silent_are_forgotten(state):
    """After ninety days its row goes, when another is written."""
    calls = HookCalls(state, fixed_keys())
    note(calls, "old")
    calls.flush()
    note(calls, at=NOON + KEPT + timedelta(days=1))
    calls.close()
    assert [row.hook for row in rows(state)] == ["forum"]


def test_without_a_state_nothing_is_written():
    """For whoever only wants to try a hook."""
    calls = HookCalls()
    note(calls)
    calls.close()
    assert len(calls.latest("forum")) == 1
