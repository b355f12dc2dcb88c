from __future__ import annotations

import pytest

from spira.unify.matching import addresses, values


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("1990-05-06", "19900506"),
        ("1990年5月6日", "19900506"),
        ("06/05/1990", "19900506"),
        ("19901356", "19901356"),
        ("1990-05-06 00:00:00", "19900506"),
        ("1990", "1990"),
        ("May", None),
    ],
)
def test_dates_of_birth_are_eight_digits(written, day):
    """A date that can't be is kept: the typing error in it is one digit."""
    assert values.birth_date(written) == day


def test_the_order_of_day_and_month_is_read_from_the_column():
    """One number above twelve tells where the day stands."""
    assert values.day_first(["01/02/1990", "25/02/1990"])
    assert not values.day_first(["01/02/1990", "02/25/1990"])
    assert values.birth_date("02/25/1990", days_first=False) == "19900225"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+86 138-1234-5678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("0532 8888 1234", "53288881234"),
        ("+44 20 7946 0958", "2079460958"),
        ("138****5678", None),
        ("13800138000", None),
        ("000000000", None),
        ("123", None),
    ],
)
def test_phone_numbers_lose_prefixes_and_stand_ins(written, number):
    """What everyone writes who has no number says nothing."""
    assert values.phone(written) == number


def test_addresses_of_mail_and_codes_have_one_form():
    """Tags behind a plus are no part of an address."""
    assert values.email(" Ann+news@Example.COM ") == "ann@example.com"
    assert [values.email(each) for each in ("ann", "test@test.com", "@x.com")] == [None, None, None]
    assert values.code("ta13 5hd") == "TA135HD"


@pytest.mark.parametrize(
    ("written", "area", "rest"),
    [
        ("广东省深圳市福田区福华路12号", "440304", "福华路12号"),
        ("深圳福田福华路12号", "440304", "福华路12号"),
        ("北京市朝阳区建国路1号", "110105", "建国路1号"),
        ("朝阳区建国路1号", None, "朝阳区建国路1号"),
        ("青島市市南區香港中路10號", "370202", "香港中路10号"),
        ("山东 青岛市南区香港中路10号", "370202", "香港中路10号"),
        ("上海上海市浦东新区世纪大道", "310115", "世纪大道"),
        ("广西南宁青秀区民族大道", "450103", "民族大道"),
    ],
)
def test_chinese_addresses_are_read_down_to_the_district(written, area, rest):
    """Whatever level is left out; a name that several places bear is not guessed at."""
    found = addresses.parse(written)
    assert (found.area, found.rest) == (area, rest)


def test_other_addresses_are_a_number_and_the_rest():
    """Short forms of street, road and the like are written out."""
    assert addresses.parse("12 High St., London") == addresses.Address(None, "12", "high street london")
