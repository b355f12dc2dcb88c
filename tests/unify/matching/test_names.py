from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from spira.unify.matching.alike import ALIKE, alike, distance
from spira.unify.matching.names import Name, from_parts, root, split
from spira.unify.matching.text import fold, latin, sound


@pytest.mark.parametrize(
    ("written", "family", "given"),
    [
        ("张伟", "zhang", "wei"),
        ("張偉先生", "zhang", "wei"),
        ("单雄信", "shan", "xiongxin"),
        ("曾國藩", "zeng", "guofan"),
        ("歐陽娜娜", "ouyang", "nana"),
        ("尉迟恭", "yuchi", "gong"),
        ("Zhang Xiao Ming", "zhang", "xiaoming"),
        ("Smith, John", "smith", "john"),
        ("Mr John Smith Jr", "smith", "john"),
        ("Ludwig van Beethoven", "van beethoven", "ludwig"),
        ("王女士", "wang", None),
        ("Иван Петров", "petrov", "ivan"),
    ],
)
def test_names_are_split_into_family_and_given(written, family, given):
    """Surnames have their own readings; titles and honorifics are no part of a name."""
    made = split(written)
    assert (made.family, made.given) == (family, given)


def test_a_name_in_two_columns_is_read_as_one():
    """Chinese parts are read together; Western ones keep what was written beside the Latin form."""
    assert from_parts("伟", "张") == split("张伟")
    assert from_parts("José", "O'Neil") == Name("jose", "oneil", "jose", "oneil")
    assert from_parts(None, None) == Name(None, None, None, None)


def test_text_is_folded_to_one_form():
    """Width, case, marks, apostrophes and traditional characters make no difference."""
    assert fold("Ｏ’Ｎéil  漢字") == "oneil 汉字"
    assert latin("Łukasz Ångström") == "lukasz angstrom"
    assert sound("catherine") == sound("katherine")
    assert sound("smith") == sound("smyth")
    assert (root("Bob".lower()), root("mary ann"), root(None)) == ("robert", "mary", None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Olaf Scholze", "Olaf Scholz"),
        ("Xi Jinping", "習近平"),
        ("Scholz, Olaf", "Olaf Scholz"),
        ("Ted Doe", "Theodore Doe"),
        ("Goldman Sachs & Co. L.L.C.", "Goldman Sachs and Co LLC"),
        ("van der bilt corp", "vanderbilt corp"),
    ],
)
def test_one_name_written_twice_is_alike(one, other):
    """Order, script, short forms and typing errors are seen through, whichever name comes first."""
    assert alike(one, other) >= ALIKE
    assert alike(one, other) == pytest.approx(alike(other, one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Frank Richter", "Frederik Richter"),
        ("Bashar al-Assad", "Hafez al-Assad"),
        ("Roman Fico", "Robert Fico"),
        ("", "x"),
    ],
)
def test_two_names_with_a_word_in_common_are_not_alike(one, other):
    """When each has a word that the other lacks, they are two."""
    assert alike(one, other) < ALIKE


def test_an_exchange_of_neighbours_is_one_edit():
    """As is one letter more, less or other."""
    assert [distance("abcd", each) for each in ("abcd", "abdc", "abc", "abxd", "dcba")] == [0, 1, 1, 1, 3]


@pytest.mark.data
def test_names_are_told_apart_as_well_as_by_the_field(outside):
    """On the pairs of OpenSanctions' name bench F1 is at least what their own logic reaches, 0.79."""
    cases = pq.read_table(outside / "name_matching/name_bench_cases.parquet").to_pylist()
    said = [(alike(each["name1"], each["name2"]) >= ALIKE, each["is_match"]) for each in cases]
    both = sum(1 for found, true in said if found and true)
    assert 2 * both / (sum(found for found, _ in said) + sum(true for _, true in said)) >= 0.79
