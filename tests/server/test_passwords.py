from __future__ import annotations

import pytest

from spira.server.errors import WeakPassword
from spira.server.passwords import check

OWN = ("ann.miller@example.com", "Ann Miller", "Corner Shop")


@pytest.mark.parametrize(
    "good", ["a quiet sea in spring", "另外一句只有我会写的话呀呀", "tulip-Harbor-7-kettle", "x9$kQ2!vLw7z"]
)
def test_a_long_and_own_sentence_is_good(good):
    """Length is what counts; no sign or digit is asked for."""
    check(good, own=OWN)


@pytest.mark.parametrize(
    ("bad", "weakness"),
    [
        ("too short", "short"),
        ("x" * 1_025, "long"),
        ("Basketball2024!!", "common"),
        ("PASSWORD....", "common"),
        ("passwordpassword", "common"),
        ("123456123456", "common"),
        ("xyz9xyz9xyz9", "repeated"),
        ("abcabcabcabc", "repeated"),
        ("aaaaaaaaaaaa", "repeated"),
        ("qwertyuiop[]", "common"),
        ("rewq5tgb6yhn7ujm", "walk"),
        ("12345678901234", "walk"),
        ("1qaz2wsx3edc4", "common"),
        ("abcdefghijklmnop", "walk"),
        ("my-ann.miller-is-here", "own"),
        ("the corner-shop is mine", "own"),
    ],
)
def test_what_is_guessed_first_is_refused_with_the_reason(bad, weakness):
    """Common ones whatever hangs on their end, repetitions, walks, and what everybody can see."""
    with pytest.raises(WeakPassword) as refused:
        check(bad, own=OWN)
    assert refused.value.weakness == weakness
    assert refused.value.help
