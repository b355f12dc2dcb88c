from __future__ import annotations

import pyarrow as pa
import pytest

from spira.testing import dirty
from spira.unify.matching.columns import BadColumns, guess, texts


def test_columns_are_recognised_by_their_names():
    """English and Chinese headers are known, and what says nothing about a person is left out."""
    table = dirty.western(200, seed=1)
    assert guess(table, truth="person") == {
        "first_name": "given_name",
        "surname": "family_name",
        "dob": "birth_date",
        "birth_place": "category",
        "postcode": "postcode",
        "gender": "category",
        "occupation": "category",
    }
    chinese = dirty.chinese(200, seed=1)
    renamed = chinese.rename_columns(["姓名", "手机号", "电子邮箱", "出生日期", "收货地址", "会员编号"])
    assert list(guess(renamed).values()) == ["full_name", "phone", "email", "birth_date", "address"]


def test_columns_without_a_telling_name_are_recognised_by_their_values():
    """A column called x1 that holds phone numbers is one of phone numbers."""
    table = dirty.chinese(300, seed=2).drop_columns(["person"]).rename_columns(["x1", "x2", "x3", "x4", "x5"])
    assert guess(table) == {"x1": "full_name", "x2": "phone", "x3": "email", "x4": "birth_date", "x5": "address"}


def test_a_name_in_several_forms_is_taken_in_its_parts():
    """`first_and_surname` is a whole name, the place of birth is no date, and a post code may have a suffix."""
    rows = [["ann", "ash", "ann ash", "ann mary ash", "1850-01-01", "york", "yo1 7hh", "Q1"],
            ["bob", "elm", "bob elm", "sir bob elm", "1802-05-09", "bath", "ba1 1aa", "Q2"]]  # fmt: skip
    names = "first_name surname first_and_surname full_name dob birth_place postcode_fake unique_id".split()
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    assert guess(table) == {
        "first_name": "given_name",
        "surname": "family_name",
        "dob": "birth_date",
        "birth_place": "category",
        "postcode_fake": "postcode",
    }


def test_the_truth_and_record_numbers_are_never_matched_on():
    """Ids of records and groups say who is who already; instants, marks and amounts say nothing."""
    table = pa.table(
        {
            "rec_id": ["rec-1-org", "rec-1-dup", "rec-2-org"],
            "cluster_id": [1, 1, 2],
            "surname": ["smith", "smyth", "jones"],
            "is_original": [True, False, True],
            "spent": [1.5, 2.5, 3.5],
            "created_at": ["2020-01-01", "2020-01-02", "2020-01-03"],
        }
    )
    assert guess(table, truth="cluster_id") == {"surname": "family_name"}


def test_a_column_that_repeats_another_is_left_out():
    """The same evidence is not counted twice: a full name beside its parts, a copy under another header."""
    table = pa.table(
        {"first_name": ["ann", "bob"], "surname": ["ash", "birch"], "full_name": ["ann ash", "bob birch"],
         "town": ["york", "bath"], "city": ["York", "Bath"]}
    )  # fmt: skip
    assert set(guess(table)) == {"first_name", "surname", "town"}


def test_what_is_told_wins_and_is_checked():
    """A mapping of an unknown column or to an unknown kind says what there is."""
    table = pa.table({"k": ["Ann Ash", "Bob Birch"]})
    assert guess(table, told={"k": "full_name"}) == {"k": "full_name"}
    with pytest.raises(BadColumns, match="no column `q`"):
        guess(table, told={"q": "full_name"})
    with pytest.raises(BadColumns, match="no kind"):
        guess(table, told={"k": "name"})
    with pytest.raises(BadColumns, match="no column was recognised"):
        guess(table, told={"k": "ignore"})


def test_what_stands_for_nothing_is_missing():
    """NaN, none and a dash are no values; a whole number that became a float is one."""
    assert texts(pa.chunked_array([[1.0, None, float("nan")]])) == ["1", None, None]
    assert texts(pa.chunked_array([["NULL", " - ", "无", " x "]])) == [None, None, None, "x"]
