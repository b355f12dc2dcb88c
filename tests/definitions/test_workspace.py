"""Reading a directory: which files are definitions, and what is wrong with those that are not."""

from pathlib import PurePath

import pytest

from spira.definitions.workspace import read_workspace
from spira.kernel.errors import WorkspaceInvalid


@pytest.fixture
def directory(tmp_path):
    """An empty workspace."""
    (tmp_path / "spira.toml").write_text("", encoding="utf-8")
    return tmp_path


def put(directory, path, text):
    """Write a file."""
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_definitions_are_found_in_every_folder(directory):
    """
    The first key says what a document is; its folder, and how deep it lies, do not matter.
    """
    put(directory, "walks/a.yaml", "note: one\n---\nwalk: two\n")
    put(directory, "notes/deep/b.yml", "note: three\n")
    found = read_workspace(directory).definitions
    assert [(each.kind, each.name, str(each.path)) for each in found] == [
        ("note", "three", "notes/deep/b.yml"),
        ("note", "one", "walks/a.yaml"),
        ("walk", "two", "walks/a.yaml"),
    ]


def test_data_plug_ins_hidden_folders_and_the_top_are_left_alone(directory):
    """
    What Spira or others keep in a workspace is not taken for definitions.
    """
    for path in ("data/x.yaml", "plugins/x.yaml", ".github/x.yaml", "notes/.x.yaml", "x.yaml", "notes/x.txt"):
        put(directory, path, "nonsense: true\n")
    workspace = read_workspace(directory)
    assert (workspace.definitions, workspace.diagnostics) == ((), ())


def test_a_directory_without_settings_is_no_workspace(tmp_path):
    """
    The error says how to get one.
    """
    with pytest.raises(WorkspaceInvalid) as fault:
        read_workspace(tmp_path)
    assert "spira init" in (fault.value.help or "")


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        (b"note: \xff\xfe\n", "D005", None),
        ("- note: a\n", "D004", "begin with one of"),
        ("nte: a\n", "D010", "did you mean `note`?"),
        ("size: 1\nnote: a\n", "D010", "put `note: …` first"),
        ("colour: red\n", "D010", "begin with one of: walk, note"),
        ("note: a\nbody: b.txt\n", "D104", "put the file beside notes/a.yaml"),
        ("note: a\nbody: ../b.txt\n", "D104", "a file lies in the definition's own folder"),
    ],
)
def test_what_can_not_be_a_definition_says_why(directory, text, code, help):
    """
    Each has a code and a next step.
    """
    put(directory, "notes/a.yaml", text)
    [fault] = read_workspace(directory).diagnostics
    assert fault.code == code
    assert fault.help == help


def test_a_companion_is_read_and_part_of_the_fingerprint(directory):
    """
    Rewriting a template's body changes the template, though its YAML stays as it is.
    """
    put(directory, "notes/a.yaml", "note: a\nbody: a.txt\n")
    put(directory, "notes/a.txt", "one")
    [before] = read_workspace(directory).definitions
    put(directory, "notes/a.txt", "two")
    [after] = read_workspace(directory).definitions
    assert before.companions == {"a.txt": "one"}
    assert before.fingerprint != after.fingerprint


def test_a_fingerprint_is_of_what_is_said_and_not_of_how(of_text):
    """
    Comments, quotes and the order of keys change nothing.
    """
    [one] = of_text("note: a\nsize: 2\nlabel: {en: x}\n").definitions
    [same] = of_text("# why\nnote: 'a'\nlabel:\n  en: x\nsize: 2\n").definitions
    [other] = of_text("note: a\nsize: 3\nlabel: {en: x}\n").definitions
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_sources_are_kept_for_showing_faults(directory):
    """
    Whoever draws a diagnostic has the text it points into.
    """
    put(directory, "notes/a.yaml", "note: a\n")
    assert read_workspace(directory).sources == {PurePath("notes/a.yaml"): "note: a\n"}
