from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from spira.console import formats

NOON = datetime(2026, 3, 1, 12)


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (None, "–", "–"),
        (0, "0", "0"),
        (12_345, "12,345", "12,345"),
        (100_000, "100,000", "100,000"),
        (123_456, "12.35万", "123,456"),
        (2_000_000, "200万", "2,000,000"),
        (345_678_901, "3.46亿", "345,678,901"),
    ],
)
def test_large_counts_read_in_wan_and_yi_in_chinese(value, chinese, english):
    """Above a hundred thousand Chinese counts in 万 and 亿; English keeps its commas."""
    assert (formats.number(value, "zh-CN"), formats.number(value, "en")) == (chinese, english)


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (7, "7", "7"),
        (187, "187", "187"),
        (9_876, "9,880", "9,880"),
        (18_724, "1.9万", "18,700"),
        (20_000, "2万", "20,000"),
        (1_234_567, "123万", "1,230,000"),
        (345_678_901, "3.5亿", "346,000,000"),
    ],
)
def test_an_estimate_reads_in_few_figures(value, chinese, english):
    """What is said to be about so many is told in three figures at most."""
    assert (formats.about(value, "zh-CN"), formats.about(value, "en")) == (chinese, english)


def test_amounts_carry_their_currency_and_cents_only_where_they_matter():
    """Small amounts show cents, large ones none, negative ones their sign in front."""
    assert formats.amount(12.5, "CNY", "zh-CN") == "¥12.50"
    assert formats.amount(12_345.67, "USD", "en") == "$12,346"
    assert formats.amount(-3, "USD", "en") == "-$3.00"
    assert formats.amount(250_000, "CNY", "zh-CN") == "¥25万"


def test_a_comparison_with_nothing_is_none():
    """There is no percentage of nothing."""
    assert formats.change(5, 0) is None
    assert formats.change(5, None) is None
    assert formats.change(6, 4) == 0.5


@pytest.mark.parametrize(
    ("ago", "chinese", "english"),
    [
        (timedelta(seconds=20), "刚刚", "just now"),
        (timedelta(minutes=1), "1 分钟前", "1 minute ago"),
        (timedelta(hours=5), "5 小时前", "5 hours ago"),
        (timedelta(days=3), "3 天前", "3 days ago"),
        (timedelta(hours=-2), "2 小时后", "in 2 hours"),
        (timedelta(days=30), "2026年1月30日", "30 Jan 2026"),
    ],
)
def test_near_instants_are_relative_and_far_ones_dates(ago, chinese, english):
    """Up to a week it is told how long ago; beyond that the day."""
    there = NOON - ago
    assert formats.relative(there, NOON, "zh-CN", "UTC") == chinese
    assert formats.relative(there, NOON, "en", "UTC") == english


def test_instants_are_shown_in_the_workspaces_zone():
    """Noon in UTC is eight in the evening in Shanghai."""
    assert formats.absolute(NOON, "zh-CN", "Asia/Shanghai") == "2026年3月1日 20:00"


def test_values_of_every_kind_read_as_people_write_them():
    """Tags hold words, numbers, instants and truths."""
    shown = [None, True, 3, Decimal("2.5000"), "GROCERY", date(2026, 3, 1)]
    told = [formats.value(each, "en", "UTC") for each in shown]
    assert told == ["–", "yes", "3", "2.5", "GROCERY", "Sunday, 1 Mar 2026"]


def test_sizes_and_lengths_of_time_are_short():
    """Bytes and seconds read at a glance."""
    assert [formats.size(each) for each in (12, 2_048, 500_000_000)] == ["12 B", "2.0 KB", "477 MB"]
    assert [formats.seconds(each, "en") for each in (0.012, 3, 600)] == ["12 ms", "3.0 s", "10 min"]
