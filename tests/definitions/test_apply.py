"""Applying makes generations: whole, in order, and only as planned."""

from datetime import datetime

import pytest

from spira.definitions.apply import DEFINITIONS, GENERATIONS, applied, apply, bodies, generations
from spira.definitions.kinds import KINDS
from spira.definitions.plan import plan
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.storage.audit import AUDIT, latest
from spira.storage.audit_chain import examine
from spira.storage.state import METADATA
from spira.testing.stores import fresh_state

CLOCK = FrozenClock(datetime(2026, 3, 1, 12))
FIRST = "# notes\nnote: a\nbody: a.txt\n---\n\nnote: b\nuses: [a]\n"
FILES = {"notes/a.txt": "你好"}


@pytest.fixture
def state(tmp_path):
    """An empty state."""
    with fresh_state(tmp_path / "state.sqlite") as opened:
        METADATA.create_all(opened.engine, tables=[GENERATIONS, DEFINITIONS, AUDIT])
        yield opened


def apply_text(state, workspace):
    """Plan and apply a workspace."""
    return apply(state, CLOCK, "ann", plan(applied(state), workspace), workspace)


def said(in_force):
    """What an applied generation says, and where it was said."""
    return [
        (each.kind, each.name, each.model, each.fingerprint, dict(each.companions), each.node.at())
        for each in in_force.definitions
    ]


def test_nothing_is_applied_at_first(state):
    """
    Generation 0 is empty.
    """
    assert (applied(state).generation, applied(state).definitions) == (0, ())


def test_what_was_applied_is_what_is_read_back(state, of_text):
    """
    Models, companions, fingerprints and even places survive, and planning again finds nothing to do.
    """
    workspace = of_text(FIRST, beside=FILES)
    assert apply_text(state, workspace) == 1
    found = applied(state)
    assert found.generation == 1
    assert said(found) == said(workspace)
    assert plan(found, workspace).changes == ()


def test_the_applied_definitions_are_found_by_kind_and_name(state, of_text):
    """
    `of` gives models, `get` one definition, and an unknown name says what there is.
    """
    apply_text(state, of_text(FIRST, beside=FILES))
    found = applied(state)
    assert [each.note for each in found.of("note")] == ["a", "b"]
    assert found.get("note", "b").model.uses == ("a",)
    assert found.find("note", "c") is None
    with pytest.raises(NotFound, match="no note `c` is applied"):
        found.get("note", "c")


def test_applying_nothing_new_makes_no_generation(state, of_text):
    """
    The same files twice are one generation and one row of the audit.
    """
    apply_text(state, of_text("note: a\n"))
    assert apply_text(state, of_text("# same\nnote: a\n")) == 1
    assert len(generations(state)) == len(latest(state)) == 1


def test_a_plan_made_before_another_apply_is_refused(state, of_text):
    """
    Two people who plan at once: the second is told to look again, and nothing of theirs is kept.
    """
    mine, theirs = of_text("note: a\n"), of_text("note: b\n")
    old = plan(applied(state), mine)
    apply_text(state, theirs)
    with pytest.raises(Conflict, match="generation 1 was applied"):
        apply(state, CLOCK, "ann", old, mine)
    assert [each.name for each in applied(state).definitions] == ["b"]


def test_files_that_changed_since_the_plan_are_refused(state, of_text):
    """
    What was seen is what happens, or nothing does.
    """
    seen = plan(applied(state), of_text("note: a\n"))
    with pytest.raises(Conflict, match="files have changed"):
        apply(state, CLOCK, "ann", seen, of_text("note: a\nsize: 2\n"))
    assert generations(state) == []


def test_every_apply_is_audited_with_its_changes(state, of_text):
    """
    Who, when, which generation and which definitions; in the same transaction.
    """
    apply_text(state, of_text("note: a\n"))
    apply_text(state, of_text("note: b\n"))
    row = latest(state)[0]
    assert (row.actor, row.action, row.subject, row.at) == ("ann", "apply", "generation 2", CLOCK.now())
    assert row.detail == {"changes": ["remove note a", "add note b"]} or row.detail == {
        "changes": ["add note b", "remove note a"]
    }
    assert examine(state).whole


def test_an_apply_that_fails_leaves_nothing(state, of_text, monkeypatch):
    """
    When the audit can't be written, the generation is not there either.
    """
    workspace = of_text("note: a\n")
    found = plan(applied(state), workspace)
    monkeypatch.setattr("spira.definitions.apply.record_in", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apply(state, CLOCK, "ann", found, workspace)
    assert applied(state).generation == 0


def test_everything_can_be_taken_away(state, of_text):
    """
    An empty workspace is a generation too.
    """
    apply_text(state, of_text("note: a\n"))
    assert apply_text(state, of_text("")) == 2
    assert applied(state).definitions == ()


def test_going_back_is_applying_an_earlier_text(state, of_text):
    """
    The bodies of a generation are its documents as they were written; applied again they say the same.
    """
    apply_text(state, of_text("note: a  # small\nsize: 1\n"))
    apply_text(state, of_text("note: a\nsize: 2\n"))
    [body] = bodies(state, 1)
    assert body.text == "note: a  # small\nsize: 1\n"
    assert apply_text(state, of_text(body.text)) == 3
    assert applied(state).get("note", "a").model.size == 1
    with pytest.raises(NotFound):
        bodies(state, 9)


def test_definitions_that_a_new_version_can_not_read_are_told(state, of_text, monkeypatch):
    """
    After an upgrade that dropped a kind, the rest still works and the fault is there to be shown.
    """
    apply_text(state, of_text("note: a\n---\nwalk: w\n"))
    monkeypatch.delitem(KINDS._things, "walk")
    found = applied(state)
    assert [each.name for each in found.definitions] == ["a"]
    assert [each.code for each in found.diagnostics] == ["D010"]
