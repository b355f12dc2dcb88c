"""History only grows: each generation line by line against the one before, and going back through the files."""

from datetime import datetime
from pathlib import PurePath

import pytest

from spira.definitions.apply import DEFINITIONS, GENERATIONS, applied, apply
from spira.definitions.files import write
from spira.definitions.history import as_of_generation, generation_view, history, revisions, text_at
from spira.definitions.plan import plan
from spira.definitions.workspace import read_workspace
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import NotFound
from spira.storage.audit import AUDIT
from spira.storage.state import METADATA
from spira.testing.stores import fresh_state

CLOCK = FrozenClock(datetime(2026, 3, 1, 12))
FIRST = "# notes of ours\nnote: a\nsize: 1\nbody: a.txt\n\n# between\n---\n# b\nnote: b\nuses: [a]\n"


@pytest.fixture
def state(tmp_path):
    """An empty state."""
    with fresh_state(tmp_path / "state.sqlite") as opened:
        METADATA.create_all(opened.engine, tables=[GENERATIONS, DEFINITIONS, AUDIT])
        yield opened


@pytest.fixture
def directory(tmp_path):
    """A workspace with two notes and a companion."""
    (tmp_path / "spira.toml").write_text("", encoding="utf-8")
    write(tmp_path, {PurePath("notes/all.yaml"): FIRST, PurePath("notes/a.txt"): "hello\n"})
    return tmp_path


def put(state, directory, **files):
    """Write files by their name in notes/, and apply; the generation."""
    write(directory, {PurePath(f"notes/{name}"): text for name, text in files.items()})
    workspace = read_workspace(directory)
    return apply(state, CLOCK, "ann", plan(applied(state), workspace), workspace)


def said(workspace):
    """What definitions say."""
    return {(each.kind, each.name, each.fingerprint) for each in workspace.definitions}


def marks(change):
    """The lines of a difference that came or went."""
    return [f"{each.mark}{each.text}" for each in change.lines if each.mark in "+-"]


def test_a_generation_is_told_line_by_line(state, directory):
    """What was added, changed and taken away since the one before, companions included."""
    put(state, directory)
    put(state, directory, **{"all.yaml": FIRST.replace("size: 1", "size: 2"), "a.txt": "bye\n"})
    put(state, directory, **{"all.yaml": "note: a\nsize: 2\nbody: a.txt\n"})
    first, second, third = (generation_view(state, number) for number in (1, 2, 3))
    assert {(each.action, each.name) for each in first.changes} == {("add", "a"), ("add", "b")}
    (change,) = second.changes
    assert (change.action, marks(change)) == ("change", ["-size: 1", "+size: 2", "-hello", "+bye"])
    assert [(each.action, each.name) for each in third.changes] == [("remove", "b")]
    assert (second.newest, third.newest, third.actor) == (False, True, "ann")
    with pytest.raises(NotFound, match="no generation 4"):
        generation_view(state, 4)


def test_a_list_of_generations_goes_on_where_it_ended(state, directory):
    """The newest first; the next page begins before the last one shown."""
    for size in (1, 2, 3):
        put(state, directory, **{"all.yaml": FIRST.replace("size: 1", f"size: {size}")})
    assert [each.generation for each in history(state, limit=2)] == [3, 2]
    assert [each.generation for each in history(state, before=2)] == [1]
    assert history(state)[0].changes == (("change", "note", "a"),)


def test_a_definition_has_its_own_history(state, directory):
    """Only the generations that changed it."""
    put(state, directory)
    put(state, directory, **{"all.yaml": FIRST.replace("uses: [a]", "uses: []")})
    assert [each.generation for each in revisions(state, "note", "b")] == [2, 1]
    assert [each.generation for each in revisions(state, "note", "a")] == [1]


def back(state, directory, number):
    """Make the files say what a generation said, and apply."""
    write(directory, as_of_generation(directory, state, applied(state), number))
    return put(state, directory)


def test_going_back_is_a_new_generation_that_says_what_the_old_one_said(state, directory):
    """Texts, companions and removals come back; comments between the documents stay."""
    put(state, directory)
    before = said(read_workspace(directory))
    put(state, directory, **{"all.yaml": FIRST.replace("size: 1", "size: 2"), "a.txt": "bye\n", "c.yaml": "note: c\n"})
    assert back(state, directory, 1) == 3
    assert said(read_workspace(directory)) == before
    assert (directory / "notes/all.yaml").read_text(encoding="utf-8") == FIRST
    assert not (directory / "notes/c.yaml").exists()


def test_going_back_does_not_mind_what_lies_on_disk(state, directory):
    """Files that were deleted, broken or added by hand since end as the generation had them."""
    put(state, directory)
    before = said(read_workspace(directory))
    put(state, directory, **{"c.yaml": "note: c\n"})
    write(
        directory,
        {
            PurePath("notes/c.yaml"): None,
            PurePath("notes/all.yaml"): "note: a\nsize: [\n",
            PurePath("notes/d.yaml"): "note: d\n",
        },
    )
    assert back(state, directory, 1) == 3
    assert said(read_workspace(directory)) == before


def test_one_definitions_earlier_text_is_found_again(state, directory):
    """The text that it had in a generation, with its companions; a generation that lacked it is not found."""
    put(state, directory, **{"all.yaml": "note: a\nsize: 1\nbody: a.txt\n"})
    put(state, directory, **{"all.yaml": "note: a\nsize: 2\nbody: a.txt\n", "a.txt": "bye\n"})

    assert text_at(state, 1, "note", "a") == ("note: a\nsize: 1\nbody: a.txt\n", {"a.txt": "hello\n"})
    with pytest.raises(NotFound):
        text_at(state, 1, "note", "b")
