"""Reading declared details: exact, strict, and the same by the quick way and the careful one."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.personal import without_addresses
from spira.collect.typed import Lines, WrongType, column, json_type, read, ticks

LINES = Lines("products", {"class": "text", "price": "money", "quantity": "integer", "due": "date"})
QUICK = Lines("products", {"price": "money"})


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=6, allow_nan=False, allow_infinity=False))
def test_money_is_rounded_from_the_digits_that_were_sent(amount):
    """A property and a line give the same amount, half to even at the fourth place, never a float's neighbour."""
    digits = format(amount, "f")
    wanted = int((Decimal(digits) * 10_000).to_integral_value(ROUND_HALF_EVEN))

    [line], _ = QUICK.read(msgspec.Raw(f'[{{"price":{digits}}}]'.encode()))

    assert ticks(digits) == wanted
    assert line.f0 == wanted
    assert column("money", [wanted, None]).to_pylist() == [Decimal(wanted) / 10_000, None]


@given(st.decimals(-(10**13), 10**13, allow_nan=False, allow_infinity=False, places=6))
def test_the_common_digits_come_to_the_same_ticks(amount):
    """Digits that need no rounding take a shorter way to the same number."""
    exact = (amount * 10_000).to_integral_value(ROUND_HALF_EVEN)
    assert ticks(f"{amount:f}") == exact
    rounded = amount.quantize(Decimal("0.01"))
    assert ticks(f"{rounded:f}") == rounded * 10_000


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["class", "price", "quantity", "due", "odd"]),
            st.integers(0, 9) | st.none() | st.text(max_size=3),
        )
    )
)
def test_lines_are_read_whole_or_refused_by_name(objects):
    """Whatever a client sends in an array gives as many lines, or one reason that names the field."""
    raw = msgspec.Raw(json.dumps(objects).encode())
    fits = all(
        isinstance(each.get("class", ""), str | None)
        and not isinstance(each.get("price"), str)
        and not isinstance(each.get("quantity"), str)
        and each.get("due") is None
        for each in objects
    )
    if not fits:
        with pytest.raises(WrongType, match=r"`products\[\d+\]\.\w+` is not"):
            LINES.read(raw)
        return
    lines, extras = LINES.read(raw)
    assert len(lines) == len(objects)
    assert [line.f2 for line in lines] == [each.get("quantity") for each in objects]
    assert (extras is not None) == any("odd" in each for each in objects)


@pytest.mark.parametrize(
    ("text", "type"),
    [('"a"', "text"), ("-1", "number"), ("true", "boolean"), ("[]", "array"), ("{}", "object"), ("null", "null")],
)
def test_json_types_are_called_what_they_are(text, type):
    """What was found is named without showing it."""
    assert json_type(msgspec.Raw(text.encode())) == type


def test_an_integer_may_be_written_with_a_point():
    """3.0 is the integer 3, and what BIGINT can't hold is refused."""
    assert read("n", "integer", msgspec.Raw(b"3.0")) == 3
    with pytest.raises(WrongType, match="too large"):
        read("n", "integer", msgspec.Raw(b"9223372036854775808"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask ann@example.com today", "ask [email] today"),
        ("/?e=ann%40example.co.uk&x=1", "/?e=[email]&x=1"),
        ("净水 @ 50%", "净水 @ 50%"),
        ("plain", "plain"),
    ],
)
def test_addresses_are_taken_out_of_texts(text, shown):
    """An e-mail address goes, be it encoded for a URL; a lone sign stays."""
    assert without_addresses(text) == shown
