"""The kinds of identifier that calls can carry, and the one way each is written.

The lookup key of an identifier is an HMAC of kind and value, so `Ann@Example.com ` and
`ann@example.com` must be made the same text before it: here, and nowhere else.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, get_args

Kind = Literal["user_id", "anonymous_id", "visit", "member_card", "email", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONTACT: frozenset[str] = frozenset({"email", "phone"})

# Traits of an identify call that are identifiers of the one who is identified.
IDENTIFYING_TRAITS: frozenset[str] = frozenset({"email", "phone", "member_card"})

# The first half of a key as a number, which is found among millions of keys that lie in no order (unify.subjects).
HEAD = 16  # hexadecimal digits
KEY_HEAD = f"('0x' || subject_key[1:{HEAD}])::ubigint"

# One opening of a short link: an anonymous id of ours, good for one visit and tied to at most one browser.
VISIT = re.compile(r"visit_[0-9a-hjkmnp-tv-z]{16}")
_SEPARATORS = re.compile(r"[\s().\-‐-―]+")
_MAINLAND_MOBILE = re.compile(r"1[3-9]\d{9}")
_E164 = re.compile(r"\+\d{6,15}")


def normalise(kind: str, value: str) -> str | None:
    """`value` as the key is made of it; None for text that can't be an identifier of that kind."""
    text = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    if not text or len(text) > 512:
        return None
    if kind == "email":
        return _email(text)
    if kind == "visit":
        return text if VISIT.fullmatch(text) else None
    return _phone(text) if kind == "phone" else text


def kind_of_anonymous(value: str) -> Kind:
    """The kind of what a call tells as `anonymousId` or `previousId`."""
    return "visit" if value.startswith("visit_") and VISIT.fullmatch(value) else "anonymous_id"


def _email(text: str) -> str | None:
    name, at, domain = text.lower().rpartition("@")
    return text.lower() if at and name and "." in domain and not re.search(r"\s", text) else None


def _phone(text: str) -> str | None:
    """E.164; eleven digits that look like a mainland mobile are one."""
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if _MAINLAND_MOBILE.fullmatch(digits):
        digits = "+86" + digits
    if digits.startswith("86") and _MAINLAND_MOBILE.fullmatch(digits[2:]):
        digits = "+" + digits
    if not digits.startswith("+") and digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 15:
        return digits
    return digits if _E164.fullmatch(digits) else None
