"""YAML is read with the place of everything, by YAML 1.2's core schema, and without surprises."""

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.definitions.source import read_file
from spira.kernel.diagnostics import Span

FILE = PurePath("notes/a.yaml")


def read(text):
    """The only document of a text."""
    found = read_file(FILE, text)
    assert found.diagnostics == ()
    return found.documents[0]


def codes(text):
    """The codes of what is wrong with a text, with line and column."""
    return [(each.code, each.at.line, each.at.column) for each in read_file(FILE, text).diagnostics]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("10%", "10%"),
        ("true", True),
        ("~", None),
        ("-12", -12),
        ("1.5", 1.5),
        ("'5'", "5"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
    ],
)
def test_plain_text_stays_text_unless_it_is_a_number_or_a_truth(written, value):
    """
    Only null, true, false and numbers are more than text; clock times, dates and `no` are not.
    """
    assert read(f"key: {written}\n").value == {"key": value}


def test_every_key_and_value_knows_its_place():
    """
    Keys, values, list items and nested values answer with line and column as editors count them.
    """
    node = read("note: a\nsteps:\n  - send: {to: 青岛, by: mail}\n")
    assert node.at("note") == Span(FILE, 1, 7, 1)
    assert node.at("steps", 0, "send", "by") == Span(FILE, 3, 24, 4)
    assert node.key_at("steps", 0, "send") == Span(FILE, 3, 5, 4)
    assert node.at("steps", 7, "x") == node.at("steps")


def test_a_value_left_empty_is_shown_at_its_key():
    """
    The parser puts an empty value on the next line; a person looks for it at the key.
    """
    assert read("note: a\nbody:\nsize: 1\n").at("body") == Span(FILE, 2, 1, 4)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("value: a = b\n", (1, 12)),
        ("value: 'a = b'\n", (1, 13)),
        ("value: |\n  a =\n   b\n", (3, 4)),
        ("value: >-\n  a\n  = b\n", (3, 5)),
        ('value: "a = \\u0062"\n', (1, 13)),
    ],
)
def test_a_place_inside_a_text_is_a_place_in_the_file(text, place):
    """
    The fault of an expression is shown at its own characters, however the text is quoted or folded.
    """
    node = read(text)
    value = node.value["value"]
    at = node.inside(("value",), value.index("b"), value.index("b") + 1)
    assert (at.line, at.column) == place


def test_a_file_may_hold_several_documents():
    """
    Documents are read apart, places counting through the file; empty ones are left out.
    """
    found = read_file(FILE, "# first\nnote: a\n---\n---\nnote: b\n")
    assert [each.value for each in found.documents] == [{"note": "a"}, {"note": "b"}]
    assert found.documents[1].at("note").line == 5
    assert found.documents[1].text == "note: b\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("note: 'a\n", [("D001", 2, 1)]),
        ("note: a: b\n", [("D001", 1, 8)]),
        ("note: a\nnote: b\n", [("D002", 2, 1)]),
        ("a: &x 1\nb: *x\n", [("D003", 1, 4), ("D003", 2, 4)]),
        ("a: !!str 1\n", [("D003", 1, 4)]),
        ("? [a]\n: b\n", [("D003", 1, 3)]),
    ],
)
def test_what_a_definition_may_not_use_is_a_fault_at_its_place(text, expected):
    """
    Broken syntax, repeated keys, anchors, aliases, tags and keys that are no text are each pointed at.
    """
    assert codes(text) == expected


def test_documents_beside_a_broken_one_are_still_read():
    """
    A fault of syntax costs its own document; the others are read, at their places, and their faults found.
    """
    found = read_file(FILE, "note: a\n---\nnote: [b\nsize: 1\n---\nnote: c\n---\nx: }\n")
    assert [(each.value, each.at().line) for each in found.documents] == [({"note": "a"}, 1), ({"note": "c"}, 6)]
    assert [(each.code, each.at.line) for each in found.diagnostics] == [("D001", 4), ("D001", 8)]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing():
    """
    Files from other editors have the same values and places.
    """
    assert read("\ufeffnote: a\r\nsize: 1\r\n").at("size") == Span(FILE, 2, 7, 1)


@given(st.text(max_size=60))
def test_no_text_is_too_broken_to_be_read(text):
    """
    Reading never raises: whatever is wrong comes back as a diagnostic at a line of the text.
    """
    found = read_file(FILE, text)
    lines = text.count("\n") + text.count("\r") + 1
    assert all(1 <= each.at.line <= lines + 1 for each in found.diagnostics)


def test_a_value_is_found_by_what_it_says():
    """
    A reference is shown where its name stands: as a whole value, inside an expression, or else at the beginning.
    """
    node = read("note: a\nwho: in_audience('vip')\nuses: [b]\n")
    assert node.saying("b") == Span(FILE, 3, 8, 1)
    assert node.saying("vip") == Span(FILE, 2, 19, 3)
    assert node.saying("nowhere") == Span(FILE, 1, 1, 1)
