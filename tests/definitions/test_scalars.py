"""Every character of a value leads back to the character it was written as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.events import ScalarEvent

from spira.definitions.scalars import places

WRITTEN = [
    ("plain", "did('Order Completed')"),
    ("plain over lines", "a = 1\n  and 城市 = '青岛'\n\n  or c"),
    ("single quoted", "'it''s 5 o''clock\n  and all is well'"),
    ("double quoted", '"a\\u4e2d b\\tc \\"d\\" \\\n   e\\\\f \U0001f600 g"'),
    ("literal", "|\n  case when a\n    then 'b'\n\n  end\n"),
    ("literal, stripped", "|-   # why\n  x\n  y"),
    ("folded", ">\n  one two\n  three\n\n    deeper\n  four\n"),
]


def scalar(written):
    """The value and style that YAML reads from a text after `key: `."""
    events = YAML(typ="safe", pure=True).parse(f"key: {written}\n")
    event = [each for each in events if isinstance(each, ScalarEvent)][1]
    return event.value, event.style, f"key: {written}\n"[event.start_mark.index : event.end_mark.index]


@pytest.mark.parametrize("written", [text for _, text in WRITTEN], ids=[name for name, _ in WRITTEN])
def test_a_character_that_is_not_blank_is_found_where_it_was_written(written):
    """
    Whatever the style, the place of a visible character holds that character, or the escape that stands for it.
    """
    value, style, source = scalar(written)
    found = places(value, source, style)
    assert len(found) == len(value) + 1
    assert found == sorted(found)
    for character, at in zip(value, found, strict=False):
        if not character.isspace():
            assert source[at] in (character, "\\")


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")) | st.sampled_from(" '\"\\"), max_size=40))
def test_quoting_moves_no_character(text):
    """
    Any line of text in single quotes leads back to itself, doubled quotes included.
    """
    source = "'" + text.replace("'", "''") + "'"
    value, style, written = scalar(source)
    assert value == text
    assert [written[at] for at in places(value, written, style)[:-1]] == list(text)
