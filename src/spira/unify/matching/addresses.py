"""Addresses: Chinese ones as province, city, district and the rest, others as a house number and the rest.

Chinese divisions are found by the names that the text goes on with, of those that lie within what was found
before, so that the smallest division comes out: 深圳福田 is 深圳市 福田区. A bare name that several places bear
(朝阳区) is not guessed at: it stays in the rest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from spira.unify.matching.text import HAN, fold, latin, simplified

_LONG = 15  # characters of the longest name
_SUFFIXES = ("特别行政区", "自治区", "自治州", "自治县", "地区", "新区", "林区", "省", "市", "区", "县", "盟", "旗")
_PEOPLES = re.compile(
    r"(壮族|回族|维吾尔|土家族|苗族|彝族|藏族|羌族|侗族|布依族|朝鲜族|蒙古族?|哈尼族|傣族|白族|景颇族|傈僳族|哈萨克|柯尔克孜|满族|瑶族|"
    r"土族|撒拉族|黎族|畲族|各族|仡佬族|水族|拉祜族|佤族|纳西族|布朗族|独龙族|怒族|普米族|毛南族|仫佬族|东乡族|保安族|裕固族|达斡尔族|鄂温克族|鄂伦春)+$"
)
_BETWEEN = re.compile(r"[\s,，、;；.\-/]+")
_ABBREVIATIONS = {
    "st": "street",
    "str": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "ln": "lane",
    "dr": "drive",
    "ct": "court",
    "pl": "place",
    "cres": "crescent",
    "crt": "court",
    "cct": "circuit",
    "blvd": "boulevard",
    "hwy": "highway",
    "sq": "square",
    "tce": "terrace",
    "pde": "parade",
    "apt": "apartment",
    "flr": "floor",
}


@dataclass(frozen=True, slots=True)
class Address:
    """`area` is the code of the smallest division found (2, 4 or 6 digits); `number` the house's; `rest` the street."""

    area: str | None
    number: str | None
    rest: str | None


def parse(text: str) -> Address:
    """An address in its parts."""
    if HAN.search(text):
        return _chinese(_BETWEEN.sub("", simplified(text)))
    words = [_ABBREVIATIONS.get(word, word) for word in latin(text).split()]
    number = next((word for word in words if word[0].isdigit()), None)
    return Address(None, number, " ".join(word for word in words if word != number) or None)


def _chinese(text: str) -> Address:
    area, text = _deepest(_without(text, _COUNTRY), "")
    text = _without(text, _WITHIN_CITY)
    rest = fold(text).replace(" ", "")
    digits = _DIGITS.findall(rest)
    return Address(area or None, "-".join(digits[:3]) or None, rest or None)


def _deepest(text: str, area: str) -> tuple[str, str]:
    """The smallest division that the text begins with inside `area`, and what comes after it."""
    names = _names().get(area, {}) if area else _anywhere()
    best = (area, text)
    for length in _lengths(area).get(text[:2], ()):
        name, code = text[:length], names.get(text[:length])
        if not code or len(name) < length:
            continue
        after = text[length:]
        if area in _MUNICIPALITIES or code in _MUNICIPALITIES:
            after = after.removeprefix(f"{name.removesuffix('市')}市")
        found = (code, after) if len(code) == _SMALLEST else _deepest(after, code)
        cut = after[:1] in _ENDS and not name.endswith(_SUFFIXES)
        if cut and found[0] == code:
            continue  # 朝阳 of 朝阳区 is not the city 朝阳
        if len(found[0]) > len(best[0]):
            best = found
            if len(found[0]) == _SMALLEST:
                break  # nothing lies deeper
    return best


def _without(text: str, starts: tuple[str, ...]) -> str:
    """The text without the first of some words that it begins with."""
    return next((text.removeprefix(each) for each in starts if text.startswith(each)), text)


_SMALLEST = 6  # digits of a district's code, in which lies nothing
_COUNTRY, _WITHIN_CITY = ("中国", "中华人民共和国"), ("市辖区", "辖区")
_DIGITS = re.compile(r"\d+")
_ENDS = frozenset("区县市州省盟旗")
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@cache
def _table() -> dict[str, str]:
    lines = files(__package__).joinpath("divisions.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


@cache
def _names() -> dict[str, dict[str, str]]:
    """For each division the names within it, long and short, with their codes; the provinces are within ``""``.

    Districts are also within their province, as people leave the city out.
    """
    within: dict[str, dict[str, str]] = defaultdict(dict)
    for code, name in _table().items():
        for parent in {code[:2], code[:4]} - {code} if len(code) > 2 else {""}:
            for written in {name, _short(name)}:
                known = within[parent].get(written)
                nearer = known is None or len(known) > len(code)
                within[parent][written] = code if nearer else known  # type: ignore[assignment]
    return dict(within)


@cache
def _lengths(area: str) -> dict[str, tuple[int, ...]]:
    """How long the names within `area` are that begin with the same two characters, the longest first."""
    found: dict[str, set[int]] = defaultdict(set)
    for name in _names().get(area, {}) if area else _anywhere():
        if 1 < len(name) <= _LONG:
            found[name[:2]].add(len(name))
    return {start: tuple(sorted(lengths, reverse=True)) for start, lengths in found.items()}


@cache
def _anywhere() -> dict[str, str]:
    return {**_everywhere(), **_names()[""]}


@cache
def _everywhere() -> dict[str, str]:
    """Names of cities, long and short, and long names of districts, that only one place bears."""
    bearers: dict[str, set[str]] = defaultdict(set)
    for code, name in _table().items():
        if len(code) > 2:
            bearers[name].add(code)
        if len(code) == 4 or (len(code) == 6 and name.endswith("市")):
            bearers[_short(name)].add(code)
    return {name: min(codes, key=len) for name, codes in bearers.items() if len(codes) == 1 and len(name) > 1}


def _short(name: str) -> str:
    bare = next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)
    bare = _PEOPLES.sub("", bare) or bare
    return bare if len(bare) > 1 else name
