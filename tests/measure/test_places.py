"""Places of China are read as people write them, and a name that might be two is read as none."""

import pytest

from spira.measure.places import places, province_of


def test_every_province_has_a_tile_of_its_own():
    """There are 34 provinces, no two of them on one tile."""
    tiles = {(each.column, each.row) for each in places().values()}
    assert len(places()) == len(tiles) == 34
    assert len({each.iso for each in places().values()}) == 34


@pytest.mark.parametrize(
    "written",
    ["山东", "山东省", " 山东 省 ", "中国山东", "山東", "Shandong", "SHANDONG PROVINCE", "370000", "370200",
     "37", "370202000000", "CN-SD", "cn-37", "青岛", "青岛市", "Qingdao", "山东省青岛市市南区", "山东青岛",
     "Qingdao, Shandong, China"],
)  # fmt: skip
def test_one_province_is_read_in_every_way_it_is_written(written):
    """With and without suffix, as a code, by its city, in Chinese and in Latin letters, it is Shandong."""
    assert province_of(written) == "37"


def test_each_of_its_own_names_is_a_province():
    """Every province is found by its name in both languages, by its code and by its code of ISO 3166-2."""
    for code, place in places().items():
        assert {province_of(each) for each in (place.zh, place.en, f"{code}0000", f"CN-{place.iso}")} == {code}


@pytest.mark.parametrize(
    ("written", "code"),
    [("海南", "46"), ("海南藏族自治州", "63"), ("海南州", "63"), ("吉林市", "22"), ("朝阳市", "21"),
     ("北京市朝阳区", "11"), ("苏州", "32"), ("宿州", "34"), ("Suzhou, Jiangsu", "32"), ("恩施州", "42"),
     ("Xi’an", "61"), ("Lüliang", "14"), ("Hohhot", "15"), ("Urumqi", "65"), ("臺北市", "71"), ("香港特别行政区", "81"),
     ("Macau", "82")],
)  # fmt: skip
def test_names_that_are_like_others_are_told_apart(written, code):
    """A prefecture with a province's name, a district with a city's, customary and traditional names."""
    assert province_of(written) == code


@pytest.mark.parametrize(
    "written",
    ["", " ", ",", "Suzhou", "Fuzhou", "Taizhou", "朝阳区", "Paris", "中国", "China", "99", "10001", "省", "SD"],
)
def test_what_is_no_place_or_might_be_two_is_unknown(written):
    """Two cities share a name in Latin letters, a district is a part of several cities, the rest is no place."""
    assert province_of(written) is None
