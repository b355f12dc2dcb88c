"""The printer: what was written comes back, and whatever is printed reads as the same tree."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.every import EVERY
from tests.segment.conditions.expressions import expression

from spira.segment.conditions.faults import Fault
from spira.segment.conditions.parser import KEYWORDS, parse
from spira.segment.conditions.printer import canonical, printed
from spira.segment.conditions.tree import (
    NOWHERE,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Logic,
    Name,
    Named,
    Negative,
    Not,
    When,
)

WORDS = st.sampled_from(["city", "城市", "order total", 'a"b', "or", "x1"])
LITERALS = st.one_of(
    st.text(max_size=5).map(lambda value: Literal(kind="text", value=value)),
    st.integers(0, 10**18).map(lambda value: Literal(kind="integer", value=value)),
    st.decimals(0, 1000, places=2).map(lambda value: Literal(kind="number", value=value)),
    st.booleans().map(lambda value: Literal(kind="boolean", value=value)),
    st.just(Literal(kind="null")),
)
NAMES = st.lists(WORDS, min_size=1, max_size=2).map(lambda parts: Name(parts=tuple(parts)))
FUNCTION = st.sampled_from(["did", "sum_of", "f"])
FLAGS = st.booleans()


def several(inner, **sizes):
    return st.lists(inner, **sizes).map(tuple)


def grown(inner):
    """Every construct over smaller trees."""
    argument = inner | st.builds(Named, name=st.sampled_from(["within", "n"]), value=inner)
    return st.one_of(
        st.builds(Not, operand=inner),
        st.builds(Negative, operand=inner),
        st.builds(Logic, op=st.sampled_from(["and", "or"]), operands=several(inner, min_size=2, max_size=3)),
        st.builds(Compare, op=st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), left=inner, right=inner),
        st.builds(Arithmetic, op=st.sampled_from(["+", "-", "*", "/", "||"]), left=inner, right=inner),
        st.builds(In, operand=inner, items=several(inner, min_size=1, max_size=2), negated=FLAGS),
        st.builds(Between, operand=inner, low=inner, high=inner, negated=FLAGS),
        st.builds(Like, operand=inner, pattern=inner, negated=FLAGS),
        st.builds(IsNull, operand=inner, negated=FLAGS),
        st.builds(
            Case,
            operand=st.none() | inner,
            whens=several(st.builds(When, condition=inner, result=inner), min_size=1, max_size=2),
            otherwise=st.none() | inner,
        ),
        st.builds(Call, function=FUNCTION, arguments=several(argument, max_size=2), where=st.none() | inner),
        st.builds(Call, function=FUNCTION, arguments=inner.map(lambda each: (each,)), distinct=st.just(True)),
        st.just(Call(function="count", star=True)),
    )


TREES = st.recursive(LITERALS | NAMES, grown, max_leaves=8)


@given(TREES)
def test_a_tree_built_by_code_prints_to_text_that_reads_as_that_tree(tree):
    """
    Whatever the builder puts together, its text says the same, with brackets only where they are needed.
    """
    assert parse(printed(tree)) == tree


@given(expression(), st.sampled_from(["", " ", "\n-- a remark\n"]), st.sampled_from(["", "  ", " -- the end"]))
def test_a_text_prints_as_it_was_written(text, before, after):
    """
    A parsed tree gives back its text to the character, with comments and spaces around it.
    """
    whole = f"{before}{text}{after}"
    tree = parse(whole)
    assert not isinstance(tree, Fault)
    assert printed(tree) == whole
    assert parse(canonical(tree)) == tree


@pytest.mark.parametrize("text", EVERY)
def test_every_use_of_every_function_survives_printing(text):
    """
    Canonical text is a fixed point: printing what it reads as changes nothing.
    """
    assert canonical(parse(canonical(parse(text)))) == canonical(parse(text))
    assert printed(parse(text)) == text


@given(TREES, TREES)
def test_an_edited_tree_prints_what_it_says_now(old, new):
    """
    After a part is exchanged the text still reads as the new tree, wherever parts came from.
    """
    tree = parse(f"( {printed(old)} )  and b -- kept")
    edited = replace(tree, operands=(parse(printed(new)), *tree.operands[1:]))
    assert parse(printed(edited)) == edited


def test_untouched_parts_keep_their_wording():
    """
    Exchanging one operand leaves the others as their author wrote them.
    """
    tree = parse("visits>1   and  level   in ('a','b')")
    edited = replace(
        tree, operands=(Compare(op=">", left=Name(parts=("visits",)), right=number("2.5")), tree.operands[1])
    )
    assert printed(edited) == "visits > 2.5 and level   in ('a','b')"


def number(text):
    return Literal(kind="number", value=Decimal(text))


@pytest.mark.parametrize("word", KEYWORDS)
def test_a_name_that_is_a_keyword_is_quoted(word):
    """
    No keyword is lost as a name, in any case of its letters; words that merely begin with one are plain names.
    """
    assert parse(canonical(Name(parts=(word,)))) == Name(parts=(word,))
    assert canonical(Name(parts=(f"{word}roid",))) == f"{word}roid"
    assert parse(f"{word.upper()}roid") == Name(parts=(f"{word.upper()}roid",))


def test_places_take_no_part_in_equality():
    """
    Two texts with different spaces are one tree.
    """
    assert parse("a  =  1") == parse("a=1")
    assert parse("a=1").place != NOWHERE
