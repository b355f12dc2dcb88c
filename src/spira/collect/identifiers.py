"""The kinds of identifier that calls can carry, and the one way each is written.

The lookup key of an identifier is an HMAC of kind and value, so `Ann@Example.com ` and
`ann@example.com` must be made the same text before it: here, and nowhere else. What each built-in
kind is like stands in `collect.identifier_rules`, which a workspace may declare otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from operator import mul
from typing import Literal, get_args

Kind = Literal[
    "user_id",
    "anonymous_id",
    "visit",
    "member_card",
    "email",
    "phone",
    "wechat_unionid",
    "wechat_openid",
    "wecom_external_userid",
    "weibo_uid",
    "device_id",
    "id_card",
    "taobao_buyer",
    "jd_buyer",
    "douyin_buyer",
    "pdd_buyer",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONTACT: frozenset[str] = frozenset({"email", "phone"})
# A way of writing: what makes two texts the same value.
Writing = Literal["text", "lower", "upper", "digits", "email", "phone", "id_card", "visit"]
WRITINGS: tuple[Writing, ...] = get_args(Writing)

# Traits of an identify call that are identifiers of the one who is identified.
IDENTIFYING_TRAITS: frozenset[str] = frozenset({"email", "phone", "member_card"})

# The first half of a key as a number, which is found among millions of keys that lie in no order (unify.subjects).
HEAD = 16  # hexadecimal digits
KEY_HEAD = f"('0x' || subject_key[1:{HEAD}])::ubigint"
LONGEST = 512
NO_PHONE = "+000000000"  # what zeros alone are written as, however many
_SHORTEST = 5  # digits of a number without a country

# One opening of a short link: an anonymous id of ours, good for one visit and tied to at most one browser.
VISIT = re.compile(r"visit_[0-9a-hjkmnp-tv-z]{16}")
_SEPARATORS = re.compile(r"[\s().\-‐-―]+")
_MAINLAND_MOBILE = re.compile(r"1[3-9]\d{9}")
# With the area, whose 0 is left out behind the country; and numbers that are free to call.
_LANDLINE = re.compile(r"(?:\+86)?0((?:10|2\d|[3-9]\d\d)\d{7,8})")
_FREE = re.compile(r"[48]00\d{7}")
_TRUNK = re.compile(r"^(\s*\(?(?:\+|00)[^(]*)\(0\)")  # +44 (0)20…: the 0 is for callers from within
_E164 = re.compile(r"\+\d{6,15}")
_ID_CARD = re.compile(r"\d{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def normalise(kind: str, value: str) -> str | None:
    """`value` as the key is made of it; None for text that can't be an identifier of that kind."""
    return written(_WRITTEN.get(kind, "text"), value)


def written(writing: str, value: str) -> str | None:
    """`value` in one way of writing; None for text that can't be written so."""
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    if not text or len(text) > LONGEST:
        return None
    return _HOW[writing](text)


def kind_of_anonymous(value: str) -> Kind:
    """The kind of what a call tells as `anonymousId` or `previousId`."""
    return "visit" if value.startswith("visit_") and VISIT.fullmatch(value) else "anonymous_id"


def _visit(text: str) -> str | None:
    return text if VISIT.fullmatch(text) else None


def _email(text: str) -> str | None:
    name, at, domain = text.lower().rpartition("@")
    return text.lower() if at and name and "." in domain and not re.search(r"\s", text) else None


def _phone(text: str) -> str | None:
    """E.164: eleven digits that look like a mainland mobile are one, and so with an area and what is free to call.

    What has no country and no such shape stays the digits that it is.
    """
    if len(text) == 11 and text.isascii() and _MAINLAND_MOBILE.fullmatch(text):
        return "+86" + text  # what nearly all are, without the way below
    plain = unicodedata.normalize("NFKC", text).removeprefix("tel:")
    digits = _SEPARATORS.sub("", _TRUNK.sub(r"\1", plain) if "(0)" in plain else plain)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if _MAINLAND_MOBILE.fullmatch(digits) or _FREE.fullmatch(digits):
        digits = "+86" + digits
    elif digits.startswith("86") and _MAINLAND_MOBILE.fullmatch(digits[2:]):
        digits = "+" + digits
    elif landline := _LANDLINE.fullmatch(digits):
        digits = "+86" + landline.group(1)
    if digits.isascii() and not digits.strip("+0") and len(digits) >= _SHORTEST:
        return NO_PHONE
    if not digits.startswith("+") and digits.isascii() and digits.isdigit() and _SHORTEST <= len(digits) <= 15:
        return digits
    return digits if _E164.fullmatch(digits) else None


def _digits(text: str) -> str | None:
    found = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    return found if found.isascii() and found.isdigit() else None


def _id_card(text: str) -> str | None:
    """A resident's identity number of the mainland: eighteen places, the last of which checks the others."""
    number = text.upper()
    if not number.isascii() or not _ID_CARD.fullmatch(number):
        number = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
        if not number.isascii() or not _ID_CARD.fullmatch(number):
            return None
    total = sum(map(mul, _WEIGHTS, number.encode())) - ord("0") * sum(_WEIGHTS)
    return number if number[17] == _CHECKS[total % 11] else None


_HOW: Mapping[str, Callable[[str], str | None]] = {
    "text": str,
    "lower": str.lower,
    "upper": str.upper,
    "digits": _digits,
    "email": _email,
    "phone": _phone,
    "id_card": _id_card,
    "visit": _visit,
}
# How the built-in kinds are written; all others are texts.
_WRITTEN: Mapping[str, Writing] = {
    "email": "email",
    "phone": "phone",
    "visit": "visit",
    "id_card": "id_card",
    "weibo_uid": "digits",
    "device_id": "lower",
}
