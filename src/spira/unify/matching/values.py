"""Dates of birth, telephone numbers and e-mail addresses brought to one form; nothing is refused for a typing error."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PARTS = re.compile(r"^(\d{1,4})\D+(\d{1,2})\D+(\d{1,4})\D*")
_STAND_INS = frozenset(
    "13800138000 13888888888 13000000000 13900000000 18888888888 12345678 123456789 1234567890 12345678901".split()
)


def day_first(values: Iterable[str]) -> bool:
    """Whether dates with the year at the end have the day in front: some first number is above 12, or none tells."""
    firsts = [found for value in values if (found := _PARTS.match(value)) and len(found[1]) <= 2]
    over = sum(int(found[1]) > 12 for found in firsts)
    return over >= sum(int(found[2]) > 12 for found in firsts)


def birth_date(text: str, *, days_first: bool = True) -> str | None:
    """`yyyymmdd` as digits, be they a real date or not; only a year gives `yyyy`; None when there is no date."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == len(text):
        return digits if len(digits) in (8, 4) else None
    found = _PARTS.match(text)
    if found is None:
        return digits[:8] if len(digits) >= 8 else None
    first, middle, last = found.groups()
    if len(first) == 4:
        return f"{first}{middle:0>2}{last[:2]:0>2}"
    if len(last) == 4:
        day, month = (first, middle) if days_first else (middle, first)
        return f"{last}{month:0>2}{day:0>2}"
    return None


def phone(text: str) -> str | None:
    """A number's digits without the country's prefix; None for masked, short and well-known stand-in numbers."""
    if "*" in text or "x" in text.lower()[:8]:
        return None
    digits = re.sub(r"\D", "", text.split("ext")[0])
    international = text.lstrip().startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if digits.startswith("00") else digits
    if digits.startswith("86") and len(digits) >= 12:
        digits = digits[2:]
    elif international or (len(digits) == 11 and digits.startswith(("1", "44")) and not re.match(r"1[3-9]", digits)):
        digits = re.sub(r"^(1(?=\d{10}$)|44|49|33|61|81|82|39|34|31)", "", digits)
    digits = digits.lstrip("0")
    if len(digits) < 6 or len(set(digits)) <= 2 or digits in _STAND_INS:
        return None
    return digits


def email(text: str) -> str | None:
    """An address in small letters without a `+tag`; None without an @, and for well-known stand-ins."""
    name, at, domain = text.strip().lower().rpartition("@")
    name = re.sub(r"\+.*", "", name).strip()
    if not at or not name or name in {"test", "none", "no", "noemail", "example", "na"}:
        return None
    return f"{name}@{domain}"


def code(text: str) -> str | None:
    """Post codes and numbers of papers: letters and digits alone, in capitals."""
    return re.sub(r"[^0-9A-Z]", "", text.upper()) or None
