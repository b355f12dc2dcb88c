"""Editing one definition leaves everything else in its file alone, and hostile text changes nothing."""

from pathlib import PurePath

import pytest

from spira.definitions.check import check
from spira.definitions.editing import named_in, place_of, text_of, with_definition, without_definition
from spira.definitions.files import LARGEST, admitted, write
from spira.definitions.workspace import read_workspace
from spira.kernel.errors import DefinitionsInvalid, NotAllowed, NotFound, StoreUnavailable

FILE = """\
# Notes of the shop. Keep this line.

# a: the first
note: a   # trailing words
label: 'A'
# about the size
size: 2

# between
---
# b is big
note: b
size: 9
--- # the last
note: c
uses: [a]

# the end
"""


@pytest.fixture
def directory(tmp_path):
    """A workspace with one file of three notes."""
    (tmp_path / "spira.toml").write_text("", encoding="utf-8")
    put(tmp_path, "notes/all.yaml", FILE)
    return tmp_path


def put(directory, path, text):
    """Write a file, byte for byte."""
    (directory / path).parent.mkdir(parents=True, exist_ok=True)
    (directory / path).write_bytes(text if isinstance(text, bytes) else text.encode())


def got(directory, path="notes/all.yaml"):
    """A file's text, byte for byte."""
    return (directory / path).read_bytes().decode()


def names(directory, edits=None):
    """What a workspace defines."""
    return {(each.kind, each.name) for each in read_workspace(directory, edits).definitions}


def test_a_definition_is_shown_as_its_file_has_it(directory):
    """
    The document's own text, comments inside it included; the ones around it stay in the file.
    """
    assert text_of(directory, "note", "a") == "note: a   # trailing words\nlabel: 'A'\n# about the size\nsize: 2\n"
    assert place_of(directory, "note", "b").line == 12
    with pytest.raises(NotFound, match="no file defines note `zz`"):
        text_of(directory, "note", "zz")


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_replacing_a_definition_keeps_every_other_byte(directory, name):
    """
    With its own text put in its place the file is the same; with another, only those lines differ.
    """
    old = text_of(directory, "note", name)
    assert with_definition(directory, "note", name, old) == {PurePath("notes/all.yaml"): FILE}
    new = f"note: {name}\nsize: 5\n"
    edits = with_definition(directory, "note", name, new)
    assert edits == {PurePath("notes/all.yaml"): FILE.replace(old, new)}
    assert got(directory) == FILE


def test_line_ends_and_the_byte_order_mark_stay(directory):
    """
    A file written on Windows stays one, whatever the browser sends.
    """
    put(
        directory,
        "notes/all.yaml",
        "\ufeff" + FILE.removeprefix("# Notes of the shop. Keep this line.\n\n# a: the first\n").replace("\n", "\r\n"),
    )
    edits = with_definition(directory, "note", "a", "note: a\r\nsize: 3\r\n")
    text = edits[PurePath("notes/all.yaml")]
    assert text.startswith("\ufeffnote: a\r\nsize: 3\r\n\r\n# between\r\n---\r\n")
    assert text.count("\n") == text.count("\r\n")
    write(directory, edits)
    assert {each.model.size for each in read_workspace(directory).definitions if each.name == "a"} == {3}


def test_a_new_definition_gets_a_file_of_its_own(directory):
    """
    It lies in its kind's folder under its name; where that path is taken, under the name with a number.
    """
    assert with_definition(directory, "walk", "tour", "walk: tour") == {PurePath("walks/tour.yaml"): "walk: tour\n"}
    put(directory, "walks/tour.yaml", "note: d\n")
    edits = with_definition(directory, "walk", "tour", "walk: tour")
    assert edits == {PurePath("walks/tour-2.yaml"): "walk: tour\n"}
    write(directory, edits)
    assert ("walk", "tour") in names(directory)


def test_edits_are_read_as_if_they_were_saved(directory):
    """
    A draft's definitions, faults and fingerprints are those of the saved files; the disk stays as it was.
    """
    put(directory, "notes/body.txt", "hello\r\n")
    edits = with_definition(directory, "note", "b", "note: b\r\nbody: body.txt\r\n")
    edits = {**edits, PurePath("notes/body.txt"): "other\r\n", PurePath("notes/more.yaml"): "note: m\n"}
    drafted = read_workspace(directory, edits)
    assert not check(drafted)
    assert ("note", "m") not in names(directory)
    undo = write(directory, edits)
    saved = read_workspace(directory)
    assert [(each.path, each.name, each.fingerprint) for each in saved.definitions] == [
        (each.path, each.name, each.fingerprint) for each in drafted.definitions
    ]
    write(directory, undo)
    assert got(directory) == FILE
    assert got(directory, "notes/body.txt") == "hello\r\n"
    assert not (directory / "notes/more.yaml").exists()


def test_edits_can_be_made_one_after_the_other(directory):
    """
    A later edit stands on the earlier ones.
    """
    edits = with_definition(directory, "note", "a", "note: a\nsize: 1\n")
    edits = with_definition(directory, "note", "c", "note: c\n", edits=edits)
    edits = without_definition(directory, "note", "b", edits=edits)
    assert names(directory, edits) == {("note", "a"), ("note", "c")}


def test_a_definition_is_taken_away_with_the_comment_above_it(directory):
    """
    The other documents stay as they are; a file that held nothing else goes, with the companion only it named.
    """
    (text,) = without_definition(directory, "note", "b").values()
    assert text == FILE.replace("---\n# b is big\nnote: b\nsize: 9\n", "")
    (text,) = without_definition(directory, "note", "a").values()
    assert text.startswith("# Notes of the shop. Keep this line.\n")
    assert names(directory, without_definition(directory, "note", "a")) == {("note", "b"), ("note", "c")}
    put(directory, "notes/alone.yaml", "# only\nnote: alone\nbody: alone.txt\n")
    put(directory, "notes/alone.txt", "hello")
    edits = without_definition(directory, "note", "alone")
    assert edits == {PurePath("notes/alone.yaml"): None, PurePath("notes/alone.txt"): None}
    write(directory, edits)
    assert not (directory / "notes/alone.yaml").exists()


def test_a_broken_definition_is_still_found(directory):
    """
    One with faults of syntax can be shown and mended, and its neighbours are left alone.
    """
    put(directory, "notes/all.yaml", "note: a\nlabel: [1, 2\nsize: 'x\n---\nnote: b\n")
    assert text_of(directory, "note", "a") == "note: a\nlabel: [1, 2\nsize: 'x\n"
    edits = with_definition(directory, "note", "a", "note: a\nsize: 1\n")
    assert edits == {PurePath("notes/all.yaml"): "note: a\nsize: 1\n---\nnote: b\n"}


def test_a_document_on_the_line_of_its_separator_is_one(directory):
    """
    `--- {…}` is shown without the separator, which stays.
    """
    put(directory, "notes/all.yaml", "note: a\n--- {note: b, size: 2}\n")
    assert text_of(directory, "note", "b") == "{note: b, size: 2}\n"
    edits = with_definition(directory, "note", "b", "note: b\nsize: 3\n")
    assert edits == {PurePath("notes/all.yaml"): "note: a\n---\nnote: b\nsize: 3\n"}


@pytest.mark.parametrize(
    "path",
    [
        "../out.yaml",
        "notes/../../out.yaml",
        "/etc/out.yaml",
        "data/out.yaml",
        "plugins/out.yaml",
        "out.yaml",
        "spira.toml",
        "notes/out.py",
        "notes/.out.yaml",
        ".git/out.yaml",
        "notes\\..\\out.yaml",
        "notes/linked.yaml",
        "linked/out.yaml",
    ],
)
def test_nothing_is_written_outside_the_folders_of_definitions(directory, tmp_path_factory, path):
    """
    Paths that climb, absolute ones, data, hidden files, other kinds of file and links are refused.
    """
    outside = tmp_path_factory.mktemp("outside")
    (directory / "linked").symlink_to(outside)
    (directory / "notes" / "linked.yaml").symlink_to(outside / "there.yaml")
    with pytest.raises(NotAllowed):
        write(directory, {PurePath(path): "note: x\n"})
    with pytest.raises(NotAllowed):
        admitted(directory, {PurePath(path): None})
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "A", "", ".hidden", "a\0b", "‮gnp", "x" * 200])
def test_a_name_is_never_a_path(directory, name):
    """
    A new definition whose name could not be one has no file.
    """
    with pytest.raises(DefinitionsInvalid):
        with_definition(directory, "note", name, "note: x\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("  \r\n ", "empty"),
        ("note: a\n---\nnote: b\n", "another document"),
        ("note: a\n...\n", "another document"),
        ("note: a\nlabel: " + "x" * (2 * 1024 * 1024), f"more than {LARGEST // 1024} KB"),
    ],
)
def test_a_text_that_is_not_one_document_is_refused(directory, text, said):
    """
    Nothing, two documents, and texts too large for a definition.
    """
    with pytest.raises(DefinitionsInvalid, match=said):
        with_definition(directory, "note", "a", text)


@pytest.mark.parametrize(
    "text",
    [
        "note: a\nlabel: &x [1]\nuses: [*x, *x]\n",
        "note: a\nlabel: !!python/object:os.system x\n",
        "note: a\nlabel: " + "[" * 50_000,
        "note: a\nlabel: " + "{a: " * 50_000,
        "note: a\nlabel: \x07\n",
        "%YAML 9.9\nnote: a\n",
        "note: a\n? [x]\n: y\n",
    ],
)
def test_hostile_yaml_is_a_fault_at_its_place(directory, text):
    """
    Anchors, tags, towers of brackets and control characters are told as faults in that file; nothing is evaluated.
    """
    edits = with_definition(directory, "note", "a", text)
    faults = check(read_workspace(directory, edits))
    assert faults
    assert {str(each.at.path) for each in faults} == {"notes/all.yaml"}


def test_text_from_right_to_left_is_text(directory):
    """
    Any language in a label is kept as it was typed.
    """
    edits = with_definition(directory, "note", "a", "note: a\nlabel: 'مرحبا بالعالم ‮abc'\n")
    write(directory, edits)
    assert "مرحبا بالعالم ‮abc" in text_of(directory, "note", "a")


def test_what_fails_half_way_is_undone(directory, monkeypatch):
    """
    When the second file can't take its place the first is put back, and nothing is left beside them.
    """
    put(directory, "notes/two.yaml", "note: d\n")
    files = sorted(path.name for path in (directory / "notes").iterdir())
    real = type(directory).replace

    def failing(self, goal):
        if goal.name == "two.yaml":
            raise OSError(5, "Input/output error")
        return real(self, goal)

    monkeypatch.setattr(type(directory), "replace", failing)
    edits = {PurePath("notes/all.yaml"): "note: a\n", PurePath("notes/two.yaml"): "note: e\n"}
    with pytest.raises(StoreUnavailable, match="Input/output"):
        write(directory, edits)
    assert got(directory) == FILE
    assert sorted(path.name for path in (directory / "notes").iterdir()) == files


def test_a_file_that_is_no_text_is_not_overwritten(directory):
    """
    What could not be put back as it was is left alone; the rights of a file that is written stay.
    """
    put(directory, "notes/bytes.yaml", b"note: \xff\n")
    with pytest.raises(NotAllowed, match=r"bytes\.yaml"):
        write(directory, {PurePath("notes/bytes.yaml"): "note: x\n"})
    (directory / "notes/all.yaml").chmod(0o640)
    write(directory, {PurePath("notes/all.yaml"): "note: a\n"})
    assert (directory / "notes/all.yaml").stat().st_mode & 0o777 == 0o640


def test_a_text_says_what_it_defines():
    """
    Kind and name, as far as the first line tells them when the rest is broken.
    """
    assert named_in("# hello\nnote: a\nsize: 1\n") == ("note", "a")
    assert named_in("note: a\nlabel: [\n") == ("note", "a")
    assert named_in("other: a\n") is None
    assert named_in("") is None
