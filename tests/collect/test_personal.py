"""What reaches or names a person is recognised and taken out; what only looks like it stays."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.collect.desk import track

from spira.collect.personal import (
    _CHECKS,
    _WEIGHTS,
    kind_of,
    names_contact,
    names_thing,
    scrubbed,
    scrubbed_json,
    suspects,
    suspicious,
)


def seen(text, *, thing=False):
    """A text without what is personal, and what was found in it."""
    kinds = []
    return scrubbed(text, kinds.append, thing=thing), kinds


def id_card(region, born, order):
    body = f"{region}{born:%Y%m%d}{order:03}"
    return body + _CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def card(start, size, rest):
    body = (start + rest)[: size - 1]
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) << (1 - (place & 1))
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


DIGITS = "0123456789"
MOBILES = st.builds(
    lambda second, rest: f"1{second}{rest}", st.sampled_from("3456789"), st.text(DIGITS, min_size=9, max_size=9)
)
ID_CARDS = st.builds(
    id_card,
    st.sampled_from([110105, 370202, 440308, 820000]),
    st.dates(date(1910, 1, 1), date(2024, 1, 1)),
    st.integers(0, 999),
)
CARDS = st.builds(
    lambda issuer, rest: card(*issuer, rest),
    st.sampled_from([("62", 16), ("62", 19), ("4", 16), ("51", 16), ("37", 15), ("3528", 16), ("2221", 16)]),
    st.text(DIGITS, min_size=20, max_size=20),
)
BEFORE = st.sampled_from(["", " ", "电话：", "call ", "，", "("])
AFTER = st.sampled_from(["", " ", "谢谢", "，", ")", " ok", "."])


@given(BEFORE, MOBILES, AFTER, st.sampled_from(["", "+86", "86", "+86 ", "0086"]), st.sampled_from(["", " ", "-"]))
def test_a_mobile_is_recognised_however_it_is_written(before, mobile, after, prefix, gap):
    """With and without the country, in one piece or in three, in full-width digits too."""
    written = prefix + gap.join((mobile[:3], mobile[3:7], mobile[7:]))
    for each in (written, written.translate({ord(digit): ord(digit) + 0xFEE0 for digit in DIGITS})):
        assert seen(f"{before}{each}{after}") == (f"{before}[phone]{after}", ["phone"])
        assert suspicious(json.dumps(f"{before}{each}{after}", ensure_ascii=False).encode())


AREAS = st.sampled_from(["010", "021", "029", "0311", "0532", "0755", "0898", "0991"])
LANDLINES = st.builds(
    lambda area, first, rest: (area, f"{first}{rest}"),
    AREAS,
    st.sampled_from("345678"),
    st.text(DIGITS, min_size=7, max_size=7),
)
LANDLINE_FORMS = ("{area}-{number}", "{area} {number}", "({area}){number}", "({area}) {number}", "（{area}）{number}",
                  "{area}-{first}-{last}", "({area}) {first} {last}", "{area}-{number}-801")  # fmt: skip


@given(BEFORE, LANDLINES, AFTER, st.sampled_from(LANDLINE_FORMS))
def test_a_landline_is_recognised_where_its_area_stands_apart(before, landline, after, form):
    """With a hyphen, a space or brackets of either width, in one piece or two; escaped its bytes are suspicious too."""
    area, number = landline
    written = form.format(area=area, number=number, first=number[:4], last=number[4:])
    text = f"{before}{written}{after}"
    assert seen(text) == (f"{before}[phone]{after}", ["phone"])
    for ascii in (True, False):
        assert suspicious(json.dumps(text, ensure_ascii=ascii).encode())


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 10**7 - 1), st.integers(0, 99), AREAS)
def test_order_numbers_are_no_landlines(day, number, store, area):
    """Numbers of branches, days and counters, however they are put together, and zeros before a number, stay."""
    texts = (
        f"{store:03}-{day:%Y%m%d}", f"{area}-{day:%Y%m%d}", f"({area}){day:%Y%m%d}", f"{day:%Y%m%d}-{number:07}",
        f"{day:%y%m%d}-{number:08}", f"{number:011}", f"{number:012}", f"00{store:02}-{number:08}",
        f"{area}-0{number:07}", f"{area}-1{number:07}", f"{area}{number:07}", f"SO{area}-{number:08}",
        f"{area}-{number:08}-{number:08}", f"{number % 10_000:04}-{number % 10_000:04}",
    )  # fmt: skip
    assert [each for each in texts if seen(each)[1] == ["phone"]] == []


BORN = st.dates(date(1910, 1, 1), date(1999, 12, 31))


@given(BEFORE, st.sampled_from(["110105", "370202", "512922", "622201"]), BORN, st.integers(1, 999), AFTER)
def test_an_identity_card_of_old_is_recognised_by_its_parts(before, region, born, order, after):
    """Fifteen digits have no check digit: region, district, day and serial must each be one that was given out."""
    number = f"{region}{born:%y%m%d}{order:03}"
    assert seen(f"{before}{number}{after}")[1] in (["id_card"], ["bank_card"])
    wrong = (f"27{number[2:]}", f"{number[:2]}99{number[4:]}", f"{number[:4]}00{number[6:]}",
             f"{number[:8]}13{number[10:]}", f"{number[:10]}32{number[12:]}", f"{number[:12]}000")  # fmt: skip
    assert [each for each in wrong if kind_of(each) == "id_card"] == []


def test_letters_with_accents_and_wide_commas_are_not_suspicious():
    """Escaped or not: texts of ordinary languages are not looked at in detail."""
    for text in ("résumé à 20 €", "茶叶，两盒：全部；好？", "日本語テキスト"):
        assert not suspicious(json.dumps(text).encode())
        assert not suspicious(json.dumps(text, ensure_ascii=False).encode())


@given(BEFORE, ID_CARDS, AFTER)
def test_an_identity_card_is_recognised_by_its_checksum(before, number, after):
    """A right number is taken out; with another check character it is no identity card."""
    assert seen(f"{before}{number}{after}") == (f"{before}[id_card]{after}", ["id_card"])
    assert kind_of(number.lower()) == "id_card"
    wrong = number[:-1] + _CHECKS[(_CHECKS.index(number[-1]) + 1) % 11]
    assert kind_of(wrong) != "id_card"


@given(BEFORE, CARDS, AFTER, st.booleans())
def test_a_bank_card_is_recognised_by_issuer_length_and_luhn(before, number, after, spaced):
    """In groups of four or in one piece; with another last digit it is none."""
    written = " ".join(number[place : place + 4] for place in range(0, len(number), 4)) if spaced else number
    shown, kinds = seen(f"{before}{written}{after}")
    assert kinds in (["bank_card"], ["id_card"])
    assert number[:8] not in shown.replace(" ", "")
    assert kind_of(number[:-1] + str((int(number[-1]) + 1) % 10)) != "bank_card"


@given(st.uuids(), st.datetimes(), st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=1, max_size=3), MOBILES)
def test_ids_and_times_are_left_alone(unique, at, letters, digits):
    """A UUID, an instant in any of its spellings, and digits that hang on letters are nobody's."""
    texts = (
        str(unique), unique.hex, at.isoformat(), at.isoformat(sep=" "), f"{at:%Y%m%d%H%M%S}", f"{letters}{digits}",
        f"{digits}{letters}", f"{letters}-{digits}", f"0.{digits}", f"{digits}.5", f"{digits}{digits}",
    )  # fmt: skip
    assert [each for each in texts if seen(each)[1]] == []


# What is eaten of random numbers with a neutral name, in a thousand: of eleven digits those that are mobiles
# (nothing tells them apart), of sixteen those that pass an issuer's beginning and the Luhn digit.
@pytest.mark.parametrize(("size", "most"), [(10, 0), (11, 90), (12, 0), (13, 2), (14, 5), (15, 4), (16, 30), (17, 3),
                                            (18, 3), (19, 3), (20, 0)])  # fmt: skip
def test_few_random_numbers_are_taken_for_something_personal(size, most):
    """The share of false finds is measured over numbers of each length, evenly spread."""
    step = 9 * 10 ** (size - 1) // 20_000 | 1
    found = sum(kind_of(str(10 ** (size - 1) + place * step)) is not None for place in range(20_000))
    assert found <= most * 20


@pytest.mark.parametrize(
    "name", ["order_no", "orderId", "trade_no", "sku", "tracking_number", "timestamp", "transaction_id"]
)
def test_under_the_name_of_a_thing_digits_are_its_own(name):
    """An order number that looks like a mobile or a card stays whole; an address in it does not."""
    assert names_thing(name)
    assert seen("13800138000 4111111111111111", thing=True) == ("13800138000 4111111111111111", [])
    assert seen("ann@example.com", thing=True) == ("[email]", ["email"])


@pytest.mark.parametrize("name", ["note", "member_no", "user_id", "buyer_phone", "order_phone", "comment"])
def test_under_any_other_name_they_are_looked_at(name):
    """A member's number may well be their telephone."""
    assert not names_thing(name)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | MOBILES | CARDS | MOBILES.map(int),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text() | MOBILES, part, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_what_comes_out_is_json_without_a_mobile(value):
    """Whatever is sent, nested as it likes and escaped as it likes, the text stays JSON of the same shape."""
    for ascii in (True, False):
        try:
            text = json.dumps(value, ensure_ascii=ascii)
            text.encode()
        except UnicodeEncodeError:
            continue
        kinds = []
        shown = json.loads(scrubbed_json(text, kinds.append))
        assert type(shown) is type(value) or kinds
        if not suspicious(text.encode()):
            assert kinds == []


def test_escaped_digits_are_seen_through():
    """A number written with escapes, or behind an escaped letter, is the same number."""
    for text in ('"\\u0031\\u0033800138000"', '"\\u7535\\u8bdd13800138000"', '"\\ud83d\\ude0013800138000"'):
        kinds = []
        assert "800138000" not in scrubbed_json(text, kinds.append)
        assert suspicious(text.encode())
        assert kinds == ["phone"]


def test_nothing_personal_reaches_the_warehouse(desk):
    """Undeclared and declared texts, traits and lines lose it, and it is counted where it stood, never what it was."""
    desk.batch(
        track("Asked", id="m1", note="ring 13800138000", form={"last_ip": "10.1.2.3"}, buyer=13800138000,
              client_ip="10.1.2.3", order_no="13800138000"),
        track(id="m2", currency="ann@example.com", order_id="11010519491231002X", store_id="13800138000",
              products=[{"product_id": "p", "department": "ask 13800138000", "remark": "6222021234567890128"}]),
        {"type": "identify", "userId": "u", "messageId": "m3",
         "traits": {"hint": "call +4512345678", "size": 13800138000}},
    )  # fmt: skip
    desk.load()
    everything = repr([desk.rows(f"select * from {table}") for table in ("events", "order_lines", "trait_facts")])
    for secret in ("10.1.2.3", "ann@example.com", "11010519491231002X", "+4512345678"):
        assert secret not in everything
    (rest,) = desk.rows("select properties from events where message_id = 'm1'")[0]
    assert json.loads(rest) == {
        "note": "ring [phone]", "form": {"last_ip": "[ip]"}, "buyer": "[phone]", "client_ip": "[removed]",
        "order_no": "13800138000",
    }  # fmt: skip
    assert desk.rows("select store_id, order_id, currency from events where message_id = 'm2'") == [
        ("13800138000", "[id_card]", "[email]")
    ]
    assert desk.rows("select department from order_lines") == [("ask [phone]",)]
    assert set(desk.rows("select event, property, kind, seen from personal")) == {
        ("Asked", "note", "phone", 1), ("Asked", "form", "ip", 1), ("Asked", "buyer", "phone", 1),
        ("Asked", "client_ip", "named", 1), ("Order Completed", "currency", "email", 1),
        ("Order Completed", "order_id", "id_card", 1), ("Identified", "hint", "phone", 1),
        ("Identified", "size", "phone", 1),
    }  # fmt: skip


def test_names_that_say_it_are_believed():
    """A property that is called a telephone, an address or an IP is taken out whole, however it is spelt."""
    assert all(
        map(
            names_contact, ["phone", "phoneNumber", "client_ip", "IP", "id_card", "bankCard", "e_mail".replace("_", "")]
        )
    )
    assert not any(map(names_contact, ["shipment", "trip", "headphone_model", "description"]))


@given(
    st.lists(
        st.one_of(
            MOBILES, ID_CARDS, st.sampled_from(["tea", "", "a@b.co", "+4420123456", '{"ip":"10.0.0.1"}', "\\u0031"])
        )
    )
)
def test_among_many_texts_the_suspicious_ones_are_found(texts):
    """Looking at all together, and then at halves, finds those that are suspicious by themselves."""
    written = [text.encode() for text in texts]
    assert suspects(written) == [place for place, text in enumerate(written) if suspicious(text)]
