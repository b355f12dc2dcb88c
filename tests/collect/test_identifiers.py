"""Identifiers are written one way before a key is made of them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.identifiers import KINDS, normalise

WIDE = {ord(each): ord(each) + 0xFEE0 for each in "0123456789+-()"}


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        ("email", " Ann@Example.COM ", "ann@example.com"),
        ("email", "no address", None),
        ("email", "a b@example.com", None),
        ("phone", "138 1234-5678", "+8613812345678"),
        ("phone", "+86 13812345678", "+8613812345678"),
        ("phone", "008613812345678", "+8613812345678"),
        ("phone", "８６１３８１２３４５６７８", "+8613812345678"),
        ("phone", "+44 (20) 7946 0000", "+442079460000"),
        ("phone", "0532-88886666", "+8653288886666"),
        ("phone", "（010）6888 1234", "+861068881234"),
        ("phone", "+86 (0)21 5888-1234", "+862158881234"),
        ("phone", "400-820-8820", "+864008208820"),
        ("phone", "+44 (0)20 7946 0958", "+442079460958"),
        ("phone", "tel:13812345678", "+8613812345678"),
        ("phone", "95588", "95588"),
        ("phone", "call me", None),
        ("user_id", " 7 ", "7"),
        ("user_id", "", None),
        ("user_id", "x" * 600, None),
        ("member_card", "会员1", "会员1"),
    ],
)
def test_an_identifier_has_one_way_of_being_written(kind, written, normal):
    """What a person types and what a till sends give the same key, and junk gives none."""
    assert normalise(kind, written) == normal


MAINLAND = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"0(10|2[0-9])[2-8][0-9]{7}", fullmatch=True),
    st.from_regex(r"0[3-9][1-9][0-9][2-8][0-9]{6,7}", fullmatch=True),
    st.from_regex(r"[48]00[0-9]{7}", fullmatch=True),
)
ABROAD = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS - {"CN"})).map(
    lambda region: phonenumbers.format_number(
        phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE),
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    )
)
GAPS = st.lists(st.sampled_from(["", "", " ", "-", ".", "  ", "–"]), min_size=20, max_size=20)
BEFORE = st.sampled_from(["", "+86", "+86 ", "0086", "0086-", "(+86)", "tel:", "tel:+86"])


@settings(max_examples=examples(300), deadline=None)
@given(st.one_of(MAINLAND, ABROAD), GAPS, BEFORE, st.booleans())
def test_phones_are_written_as_the_reference_library_writes_them(number, gaps, before, wide):
    """What `phonenumbers` takes for a number that exists has its E.164 form, however it is spaced and prefixed."""
    spaced = before + "".join(map("".join, zip(number, gaps, strict=False)))
    text = number if number.startswith("+") else spaced
    text = text.translate(WIDE) if wide else text
    try:
        told = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_valid_number(told):
        assert normalise("phone", text) == phonenumbers.format_number(told, phonenumbers.PhoneNumberFormat.E164)


@given(st.sampled_from(KINDS), st.text(max_size=30))
def test_normalising_twice_changes_nothing(kind, written):
    """A normal form is its own normal form."""
    once = normalise(kind, written)

    assert once is None or normalise(kind, once) == once
