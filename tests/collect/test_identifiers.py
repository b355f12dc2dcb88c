"""Identifiers are written one way before a key is made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.identifiers import KINDS, normalise


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


@given(st.sampled_from(KINDS), st.text(max_size=30))
def test_normalising_twice_changes_nothing(kind, written):
    """A normal form is its own normal form."""
    once = normalise(kind, written)

    assert once is None or normalise(kind, once) == once
