"""What a text means, what is wrong with it and where: every fault, every place, every documented example."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.segment.conditions.documented import documented_catalog, documented_functions, error_page, example
from tests.segment.conditions.world import catalog

from spira.kernel.diagnostics import Diagnostic, Span, render
from spira.segment.conditions import faults
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.functions import FUNCTIONS
from spira.segment.conditions.language import analyse, fingerprint
from spira.segment.conditions.tree import walk


def found(text, known=None, **options):
    """The faults of a text as (code, what they point at)."""
    analysis = analyse(text, known or catalog(), **{"expect": "boolean", **options})
    return [(each.code, text[each.start : each.end]) for each in analysis.faults]


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("level = ", "D301", ""),
        ("did('Order Completed' and", "D301", ""),
        ("did('Order Completed' visits)", "D301", "visits"),
        ("visits == 1", "D301", "="),
        ("level = '青", "D301", "'青"),
        ("visits ＝ 1", "D301", "＝"),
        ("cuont_of('Order Completed') > 1", "D302", "cuont_of('Order Completed')"),
        ("did('Ordr Completed')", "D303", "'Ordr Completed'"),
        ("followed('Order Completed', 'x')", "D303", "'x'"),
        ("followed('Order Completed', 'Product Viewed', without => 'x')", "D303", "'x'"),
        ("did('Order Completed', categori = 'x')", "D304", "categori"),
        ("did('Coupon Applied', category = 'x')", "D304", "category"),
        ("did('Product Viewed', products.department = 'x')", "D304", "products.department"),
        ("did('Order Completed', level = 'x')", "D304", "level"),
        ("livel = 'a'", "D305", "livel"),
        ("products.department = 'a'", "D305", "products.department"),
        ("revenue > 3", "D305", "revenue"),
        ("visits > 'three'", "D307", "visits > 'three'"),
        ("城市 > 3", "D307", "城市 > 3"),
        ("level between 1 and 2", "D307", "level between 1 and 2"),
        ("visits in (1, 'a')", "D307", "visits in (1, 'a')"),
        ("seen_at > 'yesterday'", "D307", "seen_at > 'yesterday'"),
        ("visits like 'a%'", "D307", "visits"),
        ("level + 1 > 2", "D307", "level + 1"),
        ("sum_of(category, 'Order Completed') > 1", "D307", "category"),
        ("lower(visits) = 'a'", "D307", "visits"),
        ("case when true then 1 else 'a' end = 1", "D307", "case when true then 1 else 'a' end"),
        ("days_since(level) > 1", "D307", "level"),
        ("did('Order Completed', within => '3 months')", "D308", "'3 months'"),
        ("did('Order Completed', within => '30 dayz')", "D308", "'30 dayz'"),
        ("did('Order Completed', within => 30)", "D308", "30"),
        ("did('Order Completed', within => '999999999999 days')", "D308", "'999999999999 days'"),
        ("did('Order Completed', within => '0 days')", "D309", "'0 days'"),
        ("did('Order Completed', ending => '-1 day')", "D309", "'-1 day'"),
        ("did('Order Completed', since => '2026-02-02', until => '2026-02-02')", "D309", "'2026-02-02'"),
        ("did('Order Completed', witin => '1 day')", "D310", "witin => '1 day'"),
        ("count_of('Order Completed', at_least => 1) > 1", "D310", "at_least => 1"),
        ("did()", "D311", "did()"),
        ("sum_of(revenue) > 1", "D311", "sum_of(revenue)"),
        ("visits", "D312", "visits"),
        ("visits and true", "D312", "visits"),
        ("did('Order Completed', pieces)", "D312", "pieces"),
        ("not level", "D312", "level"),
        ("count(*) > 1", "D313", "count(*)"),
        ("in_audience('vips')", "D314", "'vips'"),
        ("quintile(spent) = 5", "D315", "quintile(spent)"),
        ("did('Order Completed', did('Product Viewed'))", "D316", "did('Product Viewed')"),
        ("did('Order Completed', in_audience('vip'))", "D316", "in_audience('vip')"),
        ("lower(distinct level) = 'a'", "D316", "lower(distinct level)"),
        ("lower(level, 'x') = 'a'", "D317", "'x'"),
        ("did('Order Completed', within => '1 day', within => '2 days')", "D317", "within => '2 days'"),
        ("did('Order Completed', at_least => 0)", "D318", "0"),
        ("did('Order Completed', at_least => 3, at_most => 2)", "D318", "2"),
        ("did('Order Completed', since => 'monday')", "D318", "'monday'"),
        ("did(level)", "D318", "level"),
        ("visits > 99999999999999999999", "D318", "99999999999999999999"),
        ("round(spent, 99) > 1", "D318", "99"),
        ("funnel('Order Completed') > 1", "D311", "funnel('Order Completed')"),
        ("funnel('Order Completed', 'x') > 1", "D303", "'x'"),
        ("funnel('Order Completed', 'Product Viewed', gap => '1 day', total => '2 days') = 2", "D318", "'2 days'"),
        ("streak('Order Completed', current => 1) > 1", "D318", "1"),
        ("most_of(category, 'Order Completed', half_life => '1 month') = 'a'", "D308", "'1 month'"),
        ("most_of(category, 'Order Completed', half_life => '-1 day') = 'a'", "D309", "'-1 day'"),
        ("first_of(category, 'Order Completed', half_life => '1 day') = 'a'", "D310", "half_life => '1 day'"),
        ("bought_with('Order Completed', is_gift)", "D311", "bought_with('Order Completed', is_gift)"),
        ("bought_with('Order Completed', is_gift, products.x = 'a')", "D304", "products.x"),
        ("entered_audience('vips')", "D314", "'vips'"),
        ("left_audience('vip', witin => '1 day')", "D310", "witin => '1 day'"),
        ("left_audience('vip', within => '0 days')", "D309", "'0 days'"),
        ("trait('citi') = 'a'", "D305", "'citi'"),
        ("did('Order Completed', category = trait('citi'))", "D305", "'citi'"),
        ("trait(city) = 'a'", "D318", "city"),
        ("ago(visits > 1, '1 day')", "D316", "visits"),
        ("ago(in_audience('vip'), '1 day')", "D316", "in_audience('vip')"),
        ("ago(did('Order Completed'), '1 month')", "D308", "'1 month'"),
        ("ago(did('Order Completed'))", "D311", "ago(did('Order Completed'))"),
        ("hour(seen_at, 'Shanghai') = 1", "D318", "'Shanghai'"),
        ("days_between(seen_at, 'yesterday') > 1", "D307", "days_between(seen_at, 'yesterday')"),
        ("days_between(seen_at, date(seen_at)) > 1", "D307", "days_between(seen_at, date(seen_at))"),
        ("distance_km(level, 1, 2, 3) > 1", "D307", "level"),
        (
            "did('Order Completed', products.quantity > 1, gifts.kind = 'a')",
            "D319",
            "did('Order Completed', products.quantity > 1, gifts.kind = 'a')",
        ),
    ],
)
def test_a_fault_has_its_code_and_points_at_its_characters(text, code, at):
    """
    Each mistake gives exactly one fault, whose place covers the very characters that are wrong.
    """
    assert found(text) == [(code, at)]


def test_all_faults_are_found_in_one_pass():
    """
    Four mistakes in one expression are four faults, in the order of the text.
    """
    text = "livel = 'a' and did('Ordr Completed', within => '3 months') and visits > 'x'"
    assert [code for code, _ in found(text)] == ["D305", "D303", "D308", "D307"]


def test_a_near_miss_is_named():
    """
    A misspelt name comes with the one that was probably meant.
    """
    texts = {
        "did('Ordr Completed')": "`Order Completed`",
        "entered_audience('aslep')": "`asleep`",
        "hour(seen_at, 'shanghai')": "Asia/Shanghai",
        "funel('Order Completed')": "`funnel`",
        "streak('Order Completed', curent => true)": "`current`",
    }
    for text, meant in texts.items():
        (fault,) = analyse(text, catalog()).faults
        assert meant in (fault.help or ""), (text, fault)


def test_a_property_used_as_a_tag_says_how_to_use_it():
    """
    A name that is known elsewhere gets a help that says where.
    """
    (outside,) = analyse("revenue > 3", catalog()).faults
    (inside,) = analyse("did('Order Completed', level = 'a')", catalog()).faults
    assert (
        outside.help == "`revenue` is a property of events; use it inside a function, as in `last_of(revenue, 'Event')`"
    )
    assert inside.help == "`level` is a tag; inside `did` only properties of events are known"


def test_a_name_with_two_meanings_is_a_fault():
    """
    A name that is a tag and a trait is not silently taken for one of them.
    """
    known = Catalog(tags={"tier": "text"}, traits={"tier": "text"})
    assert found("tier = 'gold'", known) == [("D306", "tier")]


def test_a_result_of_another_type_than_expected_is_a_fault():
    """
    Whoever asks for money may get a whole number, and never a text.
    """
    assert found("visits", expect="money") == []
    assert found("level", expect="money") == [("D312", "level")]


def test_aggregates_and_ranks_belong_to_the_values_of_tags():
    """
    A tag's value may be an aggregate, a rank and a condition over them; a rank of ranks is a fault.
    """
    options = {"population": True}
    assert found("quintile(sum(revenue)) = 5", **options) == []
    assert found("quintile(ntile(spent, n => 3)) = 5", **options) == [("D315", "ntile(spent, n => 3)")]


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "1" + ")" * 5000, "not " * 5000 + "true", "-" * 30_000, "1" + " + 1" * 4000]
)
def test_no_text_exhausts_the_reader(text):
    """
    Texts of thousands of brackets, signs or operands are answered, whatever they are.
    """
    assert analyse(text, catalog()).type in (None, "integer")


@given(st.text(alphabet="ab'\"()=<>,.- \n1岛（", max_size=30))
def test_any_text_is_answered(text):
    """
    Whatever is typed, the answer is an analysis with a type or with faults inside the text, never an exception.
    """
    analysis = analyse(text, catalog())
    assert (analysis.type is None) == bool(analysis.faults)
    assert all(0 <= each.start <= each.end <= len(text) for each in analysis.faults)


def test_reads_lists_all_that_an_expression_depends_on():
    """
    Lineage names events, properties (of lines with a dot), tags, scores, traits and audiences.
    """
    text = (
        "level = 'a' and churn > 0.5 and 城市 = '青岛' and in_audience('vip')"
        " and followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')"
        " and did('Order Completed', products.quantity > 1, is_gift)"
    )
    reads = analyse(text, catalog(), expect="boolean").reads
    assert reads.events == {"Product Viewed", "Order Completed", "Coupon Applied"}
    assert reads.properties == {"products.quantity", "is_gift"}
    assert (reads.tags, reads.scores, reads.traits, reads.audiences) == ({"level"}, {"churn"}, {"城市"}, {"vip"})


def test_every_node_knows_its_characters():
    """
    The place of each node is the stretch of text it was read from, Chinese characters counted as one.
    """
    text = "城市 = '青岛' and visits + 1 > 2"
    tree = analyse(text, catalog()).tree
    places = [text[each.place.start : each.place.end] for each in walk(tree)]
    assert places == [text, "城市 = '青岛'", "城市", "'青岛'", "visits + 1 > 2", "visits + 1", "visits", "1", "2"]


def test_a_fingerprint_is_of_what_is_said():
    """
    Spaces, comments and brackets leave the fingerprint; another constant does not.
    """
    plain, dressed = "visits > 1 and level = 'a'", "(visits>1) AND (level = 'a') -- regulars"
    prints = [fingerprint(analyse(text, catalog())) for text in (plain, dressed, "visits > 2 and level = 'a'")]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented_with_an_example_that_works(name):
    """
    The reference page has each function once, with an example that uses it and has no fault.
    """
    examples = [text for listed, text in documented_functions() if listed == name]
    assert len(examples) == 1
    assert f"{name}(" in examples[0]
    assert analyse(examples[0], documented_catalog(), population=True).faults == ()


@pytest.mark.parametrize("code", faults.CODES)
def test_every_code_has_a_page_whose_examples_are_true(code):
    """
    The wrong example has this fault and no other and is shown as a person sees it; the right one has none.
    """
    page = error_page(code)
    wrong, right = example(page, "Wrong"), example(page, "Right")
    known = documented_catalog()
    analysis = analyse(wrong, known, expect="boolean")
    assert [each.code for each in analysis.faults] == [code]
    assert f"```text\n{shown(wrong, analysis.faults[0])}\n```" in page
    assert analyse(right, known, expect="boolean").faults == ()


def shown(text, fault):
    """The fault as the command line renders it."""
    at = Span(PurePath("example"), 1, fault.start + 1, max(fault.end - fault.start, 1))
    return render(Diagnostic(code=fault.code, message=fault.message, at=at, help=fault.help), text)
