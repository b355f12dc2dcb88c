"""Values: how each type is read from what exports put around it, and what is told of what can't be read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.mapping.convert import convert
from spira.collect.mapping.model import ColumnDefinition

ZONE = "Asia/Shanghai"


def read(column_of, /, *, arrow=None, **declared):
    """The values and the faults of a column, of texts through Arrow and through Python alike."""
    column = ColumnDefinition.model_validate(declared)
    ways = [True, False] if arrow is None and all(isinstance(each, str) for each in column_of) else [bool(arrow)]
    found = [
        convert(pa.array(column_of) if way else list(column_of), column, zone=ZONE, empty=("null",)) for way in ways
    ]
    told = [(each.values, {at: reason for at, (_, reason) in each.faults.items()}) for each in found]
    assert all(each == told[0] for each in told)
    return told[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('="193000000000000000000000000001"', "193000000000000000000000000001"),
        ("=193", "193"),
        ("'13800138000", "13800138000"),
        ("JD123\t", "JD123"),
        ("\u3000王小明\u00a0", "王小明"),
        ("null", None),
        ("", None),
        (" \t", None),
        ("'quoted'", "'quoted'"),
        ("a = b", "a = b"),
    ],
)
def test_texts_lose_what_exports_put_around_them(written, value):
    """
    ="…", a leading apostrophe, tabs and wide blanks are no part of a value; `null` is none.
    """
    assert read([written]) == ([value], {})


def test_texts_can_be_left_as_they_are():
    """
    With `clean: false` nothing is taken off.
    """
    assert read(['="1"\t'], clean=False) == (['="1"\t'], {})


@pytest.mark.parametrize(
    ("written", "value"),
    [("¥1,234.50", 1234.5), ("12元", 12.0), ("￥0.01", 0.01), ("-3.5", -3.5), ("+7", 7.0), ("1 000", 1000.0)],
)
def test_money_is_read_with_its_marks(written, value):
    """
    Currency signs, separators and blanks are taken off; signs are kept.
    """
    assert read([written], type="money") == ([value], {})


def test_long_amounts_keep_every_digit():
    """
    What a double can't hold is kept as a decimal.
    """
    assert read(["12345678901234567.25"], type="money") == ([Decimal("12345678901234567.25")], {})


def test_whole_numbers_are_whole():
    """
    3.0 is 3, 3.5 is none, and a thousand may have its comma.
    """
    values, faults = read(["1", "02", "3.0", "3.5", "1,000", "x"], type="integer")
    assert values == [1, 2, 3, None, 1000, None]
    assert faults == {3: "this is no whole number", 5: "this is no number"}


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-01 12:00:00", "2026-03-01T04:00:00Z"),
        ("2026/3/1 9:05", "2026-03-01T01:05:00Z"),
        ("2026-03-01", "2026-02-28T16:00:00Z"),
        ("2026年03月01日 12:00:00", "2026-03-01T04:00:00Z"),
        ("20260301120000", "2026-03-01T04:00:00Z"),
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01 12:00:00.250", "2026-03-01T04:00:00.250000Z"),
    ],
)
def test_times_are_read_in_the_zone_of_the_table(written, instant):
    """
    As people and shops write them; one that names its own zone is read in that.
    """
    assert read([written], type="time") == ([instant], {})


def test_a_day_that_there_is_not_is_no_time():
    """
    The 30th of February is a fault, never the 2nd of March.
    """
    values, faults = read(["2026-02-28 10:00:00", "2026-02-30 10:00:00"], type="time")
    assert values == ["2026-02-28T02:00:00Z", None]
    assert list(faults) == [1]


def test_a_format_of_ones_own_is_kept_to():
    """
    03/04 is the 3rd of April where the format says so, and what is written otherwise is a fault.
    """
    values, faults = read(["03/04/2026 10:00", "2026-04-03"], type="time", format="%d/%m/%Y %H:%M", zone="UTC")
    assert values == ["2026-04-03T10:00:00Z", None]
    assert list(faults) == [1]


def test_seconds_since_1970_are_times():
    """
    In seconds or in thousandths, as texts or as numbers.
    """
    assert read(["1700000000"], type="time", format="unix")[0] == ["2023-11-14T22:13:20Z"]
    assert read([1700000000500], type="time", format="unix_ms")[0] == ["2023-11-14T22:13:20.500000Z"]


def test_typed_values_of_excel_and_parquet_are_read():
    """
    Dates are dates, an instant with a zone keeps it, NaN is nothing.
    """
    at = datetime(2026, 3, 1, 12)
    assert read([at, at.replace(tzinfo=UTC), date(2026, 3, 1)], type="time")[0] == [
        "2026-03-01T04:00:00Z",
        "2026-03-01T12:00:00Z",
        "2026-02-28T16:00:00Z",
    ]
    assert read([at, date(2026, 3, 1), "2026/3/1"], type="date")[0] == ["2026-03-01"] * 3
    assert read([float("nan"), 1.5, Decimal("2.50"), 3], type="money")[0] == [None, 1.5, Decimal("2.50"), 3]
    assert read(pa.array([1, None, 3]).to_pylist(), type="text")[0] == ["1", None, "3"]


def test_an_id_that_a_spreadsheet_has_rounded_is_a_fault():
    """
    A number of more digits than it keeps has lost its last ones: nobody's order is that.
    """
    _, faults = read([193000000000000000.0])
    assert "its last digits are lost" in faults[0]


def test_yes_and_no_are_read_in_both_languages():
    """
    是 and 否, y and n, 1 and 0; anything else is a fault.
    """
    values, faults = read(["是", "否", "Y", "no", "1", "0", "maybe"], type="boolean")
    assert values == [True, False, True, False, True, False, None]
    assert list(faults) == [6]


def test_masked_contacts_are_nobody():
    """
    A telephone number or address with stars in it is nothing, so that nobody is taken for another.
    """
    assert read(["138****8000", "13800138000"], type="phone") == ([None, "+8613800138000"], {})
    assert read(["a**@b.com", " Ann@B.com "], type="email") == ([None, "ann@b.com"], {})
    assert read(["王*明"], masked="empty") == ([None], {})


def test_values_are_translated():
    """
    What `values` lacks is a fault, or `other`, or kept.
    """
    translated = {"values": {"交易成功": "done", "1": True}}
    assert read(["交易成功", "1"], **translated) == (["done", True], {})
    assert list(read(["x"], **translated)[1]) == [0]
    assert read(["x"], **translated, other="unknown") == (["unknown"], {})
    assert read(["x"], **translated, other="keep") == (["x"], {})


def test_what_is_missing_can_be_required_or_filled_in():
    """
    A row without a required value is at fault; a default stands in for nothing.
    """
    assert read([""], required=True) == ([None], {0: "there is no value"})
    assert read(["", "2"], type="integer", default=0) == ([0, 2], {})
    assert read(["7", ""], prefix="taobao:") == (["taobao:7", None], {})


def test_json_is_read_as_what_it_says():
    """
    A text that is no JSON is a fault.
    """
    values, faults = read(['{"a": [1]}', "{"], type="json")
    assert values == [{"a": [1]}, None]
    assert faults == {1: "this is no JSON"}


@given(st.lists(st.text(max_size=10), max_size=20), st.sampled_from(["text", "integer", "money", "time", "phone"]))
def test_arrow_and_python_read_every_text_alike(texts, type):
    """
    The quick way by columns and the slow way by values give the same values and the same faults.
    """
    read(texts or ["x"], type=type)


@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0))))
def test_every_instant_comes_back(instants):
    """
    Written as a local time of a zone without summer time it is read as the same instant.
    """
    written = [at.strftime("%Y-%m-%d %H:%M:%S") for at in instants] or ["2026-01-01 00:00:00"]
    values, faults = read(written, type="time", zone="UTC")
    assert faults == {}
    assert values == [text.replace(" ", "T") + "Z" for text in written]
