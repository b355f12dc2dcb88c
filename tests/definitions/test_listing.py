"""What is applied beside what the files say: every state, every fault, and whether a file was touched."""

import os
from pathlib import PurePath

import pytest

from spira.definitions.apply import Applied
from spira.definitions.files import write
from spira.definitions.listing import faults_of, listing, stamp
from spira.definitions.workspace import read_workspace


@pytest.fixture
def directory(tmp_path):
    """A workspace with three notes."""
    (tmp_path / "spira.toml").write_text("", encoding="utf-8")
    put(tmp_path, "notes/all.yaml", "note: a\nlabel: {en: First}\n---\nnote: b\n---\nnote: c\n")
    return tmp_path


def put(directory, path, text):
    """Write one file."""
    write(directory, {PurePath(path): text})


def in_force(directory):
    """The files as they are, taken as applied."""
    return Applied(generation=1, definitions=read_workspace(directory).definitions)


def states(directory, applied):
    """The state of each definition by name."""
    return {each.name: each.state for each in listing(directory, applied).definitions}


def test_every_definition_has_its_state(directory):
    """The same, changed, new, removed: told by what the files say against what is applied."""
    applied = in_force(directory)
    assert states(directory, applied) == {"a": "applied", "b": "applied", "c": "applied"}
    put(directory, "notes/all.yaml", "# a comment\nnote: a\nlabel: {en: First}\n---\nnote: b\nsize: 3\n")
    put(directory, "notes/more.yaml", "note: d\n")
    assert states(directory, applied) == {"a": "applied", "b": "changed", "c": "removed", "d": "new"}
    found = listing(directory, applied)
    assert (found.generation, found.pending, found.faults) == (1, 3, ())
    row = next(each for each in found.definitions if each.name == "b")
    assert (row.kind, row.path, row.line) == ("note", "notes/all.yaml", 5)


def test_a_fault_marks_its_own_definition_and_is_drawn_at_its_place(directory):
    """Its neighbours in the file stay as they are; what can't be read at all is still listed when it is applied."""
    applied = in_force(directory)
    put(directory, "notes/all.yaml", "note: a\nlabel: {en: First}\n---\nnote: b\nsize: 11\n---\nnote: c\nsize: many\n")
    assert states(directory, applied) == {"a": "applied", "b": "faulty", "c": "faulty"}
    faults = listing(directory, applied).faults
    assert [(each.code, each.path, each.line) for each in faults] == [
        ("D999", "notes/all.yaml", 5),
        ("D013", "notes/all.yaml", 8),
    ]
    assert "5 | size: 11" in faults[0].drawn
    assert "many" in faults[1].drawn


def test_faults_of_a_draft_are_told_before_it_is_saved(directory):
    """The files stay as they are."""
    draft = {PurePath("notes/all.yaml"): "note: a\nuses: [zz]\n"}
    assert [each.code for each in faults_of(directory, draft)] == ["D102"]
    assert faults_of(directory, {}) == ()


def test_a_touched_file_is_seen(directory):
    """Equal until a definition or a file beside one is written, added or taken away."""
    before = stamp(directory)
    assert stamp(directory) == before
    put(directory, "notes/a.txt", "beside")
    second = stamp(directory)
    assert second != before
    os.utime(directory / "notes/all.yaml", ns=(1, 1))
    assert stamp(directory) not in (before, second)
