"""Small repairs of refused calls: what they change, and what they leave alone."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.corrections import Correction, corrected, correction_of, read_as
from spira.collect.tracking import SQL_TYPES
from spira.collect.typed import READERS
from spira.kernel.errors import SpiraError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.from_regex(r"[+-]?\d{1,3}(,\d{3})*(\.\d{1,4})?", fullmatch=True)
    | st.sampled_from(["2026/3/1", "2026-03-01 10:00:00", "yes", "0", "１２"]),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(st.text(max_size=3), part, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.sampled_from(list(SQL_TYPES)), JSON)
def test_a_value_is_read_as_a_type_or_left_alone(type, value):
    """What comes out is the value itself, or JSON that the type takes; it never fails, whatever it is given."""
    raw = msgspec.Raw(json.dumps(value, ensure_ascii=True).encode())
    try:
        msgspec.json.decode(raw)
    except msgspec.MsgspecError:
        return
    made = read_as(type, raw)
    if bytes(made) != bytes(raw) and type not in ("integer", "money"):
        READERS[type](made)


@given(st.decimals(-(10**9), 10**9, places=4))
def test_no_digit_of_an_amount_is_lost(amount):
    """A text that is a number becomes exactly that number, thousands commas or none."""
    for text in (str(amount), f"{amount:,}"):
        made = bytes(read_as("money", msgspec.Raw(json.dumps(text).encode()))).decode()
        assert Decimal(made) == amount


@pytest.mark.parametrize(
    ("type", "value", "read"),
    [
        ("text", 3, "3"), ("text", 2.50, "2.5"), ("text", True, "true"), ("integer", " 007 ", 7),
        ("number", "1e5", "1e5"),
        ("boolean", "Yes", True), ("boolean", 0, False), ("boolean", "perhaps", "perhaps"),
        ("date", "2026/3/1", "2026-03-01"), ("date", "31.12.2026", "31.12.2026"), ("date", "2026-13-01", "2026-13-01"),
        ("time", 1772359200, "2026-03-01T10:00:00+00:00"), ("time", 1772359200000, "2026-03-01T10:00:00+00:00"),
        ("time", "2026/03/01 10:00", "2026-03-01T10:00:00"), ("date", 1772359200, "2026-03-01"),
    ],
)  # fmt: skip
def test_values_are_read_as_people_mean_them(type, value, read):
    """The usual mistakes of senders, and what is too unclear to be touched."""
    assert json.loads(bytes(read_as(type, msgspec.Raw(json.dumps(value).encode())))) == read


def test_only_what_is_named_changes():
    """Other parts of the call stay byte for byte; a name that is there already is not overwritten."""
    body = b'{"type":"track","event":"Odred","properties":{"a":1.50,"b":"2","c":3},"x":{"y":1e3}}'
    made = corrected(body, Correction(event="Order", rename={"a": "z", "b": "c"}, read={"z": "text", "b": "integer"}))
    assert made == b'{"type":"track","event":"Order","properties":{"z":"1.50","b":2,"c":3},"x":{"y":1e3}}'
    assert corrected(body, Correction()) is body
    for odd in (b"no json", b"[1]", b'{"properties":3}'):
        assert corrected(odd, Correction(rename={"a": "b"})) == odd


@pytest.mark.parametrize(("rename", "read"), [("a", ""), ("=b", ""), ("a=", ""), ("", "a=much"), ("", "a")])
def test_a_correction_that_is_none_is_refused(rename, read):
    """What was meant has to be clear."""
    with pytest.raises(SpiraError):
        correction_of("", rename, read)


def test_corrections_are_written_as_people_write_them():
    """Commas or lines between several, spaces wherever."""
    made = correction_of(" Order ", "a = b,\n c=d ,", "x= money")
    assert made == Correction(event="Order", rename={"a": "b", "c": "d"}, read={"x": "money"})
