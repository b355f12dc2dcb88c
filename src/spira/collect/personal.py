"""Personal: recognising what reaches or names a person in texts that nobody declared, and taking it out.

    [email]      e-mail addresses, `%40` included
    [phone]      mainland mobiles, however they are spaced, E.164 numbers with their `+`, and mainland landlines
                 whose area code stands apart: (010) 6655 4433, 0532-88888888
    [id_card]    Chinese resident identity numbers: region, birth date and check character (GB 11643) agree; of
                 the fifteen digits of before 2000, which have no check, region, district and birth date
    [bank_card]  card numbers: a known issuer's beginning and length, and the Luhn digit agrees
    [ip]         network addresses that stand under a name which ends in `ip`

A number is judged only as a whole: never a part of a longer run of digits or letters, so that order
numbers, UUIDs and times stay. Under the name of a thing (`order_no`, `sku`, `trade_id`) digits are that
thing's and are left alone. Most texts hold nothing of it, which `suspicious` says in one pass over
the bytes; only the others are looked at in detail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from ipaddress import ip_address

EMAIL, PHONE, ID_CARD, BANK_CARD, IP, NAMED = "email", "phone", "id_card", "bank_card", "ip", "named"
Note = Callable[[str], object]

_ZEROS = bytes.maketrans(b"0123456789", b"0" * 10)
_APART = b" -.()"
_RUN = b"0" * 11  # the shortest that is judged, but for one with a `+`
_PLUS_RUN = b"+" + b"0" * 9
# Escapes that can hide a digit, or a sign beside one; full-width commas and letters with accents are none of them.
_ESCAPED = re.compile(rb"\\u(?:00[2-4]|[fF]{2}(?:0[89bBdDeE]|1\d))")
_NARROW = {0xFF10 + digit: 0x30 + digit for digit in range(10)}
_WIDE = re.compile(rb"\xef\xbc(?:[\x90-\x99]|\x89[ -]{0,2}[2-8])")  # a full-width digit, or a bracket before one
_ADDRESS = re.compile(r"[\w.+\-]+(?:@|%40)[\w\-]+(?:\.[\w\-]+)+", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z_.])(?<![0-9A-Za-z]-)\+?\d(?:[ .\-]{0,2}\d){8,24}[Xx]?(?![0-9A-Za-z_])(?!-[0-9A-Za-z])(?!\.\d)"
)
_AREA = r"(?:010|02[0-57-9]|0[3-9][1-9]\d|0[79]0[1-9])"
_BRACKETED = re.compile(
    rf"[(\uff08]({_AREA})[)\uff09][ \-]{{0,2}}([2-8]\d{{2,3}}[ \-]?\d{{4}})(?:-\d{{1,6}})?(?![0-9A-Za-z_])(?!-\d)"
)
_LANDLINE = re.compile(rf"({_AREA})[ \-]{{1,2}}(?:([2-8]\d{{6,7}})(?:-\d{{1,6}})?|([2-8]\d{{2,3}}[ \-]\d{{4}}))")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+\-]*')
_UNDER_IP = re.compile(r'("[^"\\]*(?:ip|IP|Ip)(?:[_-]?[aA]ddr(?:ess)?)?"\s*:\s*)"([0-9A-Fa-f.:]{2,45})"')
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_THINGS = frozenset(
    "order trade sku spu product item goods coupon voucher batch serial barcode ean upc gtin shipment shipping "
    "tracking waybill express parcel invoice ticket session request trace transaction txn payment refund campaign "
    "promotion page event message version timestamp time ts price amount total quantity count revenue imei build "
    "revision".split()
)
_PEOPLE = frozenset(
    "phone mobile tel telephone cell user member customer buyer receiver card account login id_card".split()
)
_NAMES = frozenset(
    "email mail phone mobile tel telephone cellphone phonenumber mobilephone address streetaddress ip ipaddress "
    "clientip remoteip remoteaddr useremail userphone idcard idnumber idno identitycard bankcard cardnumber".split()
)


@lru_cache(maxsize=4096)
def names_contact(name: str) -> bool:
    """Whether a property of this name holds something that reaches or names a person, whatever it looks like."""
    return name.replace("_", "").replace("-", "").lower() in _NAMES


@lru_cache(maxsize=4096)
def names_thing(name: str) -> bool:
    """Whether digits under this name are a thing's: an order's, a product's, an instant's."""
    words = {word.lower() for word in _WORDS.findall(name)}
    return bool(words & _THINGS) and not words & _PEOPLE


def is_network(text: str) -> bool:
    """Whether a text is a network address, of either kind."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def suspicious(text: bytes) -> bool:
    """Whether a text may hold something personal at all: cheap, and never wrongly no."""
    # A single byte is looked for twenty times as fast as three: where one is rare it goes first.
    if b"@" in text or (b"%" in text and b"%40" in text) or b"ddr" in text:
        return True
    if (b'p"' in text and (b'ip"' in text or b'Ip"' in text)) or (b'P"' in text and b'IP"' in text):
        return True
    bare = text.translate(_ZEROS, _APART)
    if _RUN in bare or (b"+" in bare and _PLUS_RUN in bare):
        return True
    if b"\xef" in text and _WIDE.search(text) is not None:
        return True
    return b"\\" in text and _ESCAPED.search(text) is not None


def suspects(texts: Sequence[bytes]) -> list[int]:
    """The places of the suspicious ones. All are looked at together, and the halves of what is suspicious again."""
    found, looked = [], [(0, len(texts))]
    while looked:
        first, last = looked.pop()
        if not suspicious(b"\n".join(texts[first:last])):
            continue
        if last - first == 1:
            found.append(first)
        else:
            middle = (first + last) // 2
            looked += [(middle, last), (first, middle)]
    return found


def scrubbed(text: str, note: Note, *, thing: bool = False) -> str:
    """The text with what is personal taken out; `note` is told the kind of each find."""

    def number(found: re.Match[str]) -> str:
        return _judged(found.group(), note)

    def bracketed(found: re.Match[str]) -> str:
        if not _is_landline(found.group(1), found.group(2)):
            return found.group()
        note(PHONE)
        return f"[{PHONE}]"

    text = without_addresses(text, note)
    return text if thing else _NUMBER.sub(number, _BRACKETED.sub(bracketed, text))


def without_addresses(text: str, note: Note = str) -> str:
    """The text with e-mail addresses taken out."""

    def address(_: re.Match[str]) -> str:
        note(EMAIL)
        return f"[{EMAIL}]"

    return _ADDRESS.sub(address, text) if "@" in text or "%40" in text else text


def scrubbed_json(text: str, note: Note, *, thing: bool = False) -> str:
    """A JSON text with what is personal taken out of its texts, names and numbers; it stays JSON."""

    def token(found: re.Match[str]) -> str:
        written = found.group()
        if written[0] == '"':
            return scrubbed(_plain(written) if "\\u" in written else written, note, thing=thing)
        if thing or not written.isdecimal():
            return written
        kind = kind_of(written)
        if kind is None:
            return written
        note(kind)
        return f'"[{kind}]"'

    def network(found: re.Match[str]) -> str:
        if not is_network(found.group(2)):
            return found.group()
        note(IP)
        return f'{found.group(1)}"[ip]"'

    return _TOKEN.sub(token, _UNDER_IP.sub(network, text))


def kind_of(run: str) -> str | None:
    """What a run of digits is: `phone`, `id_card`, `bank_card`, or none of them."""
    digits = "".join(str(int(each)) if each.isdecimal() else each for each in run if each.isdecimal() or each in "xX")
    size = len(digits)
    if run[0] == "+":
        return PHONE if 9 <= size <= 15 and digits[0] != "0" and digits.isdecimal() else None
    if size == 18 and _is_id_card(digits):
        return ID_CARD
    if not digits.isdecimal():
        return None
    if digits[0] == "0" and (landline := _LANDLINE.fullmatch(run.translate(_NARROW))):
        return PHONE if _is_landline(landline[1], landline[2] or landline[3]) else None
    mobile = digits[2:] if size == 13 and digits.startswith("86") else digits.removeprefix("0086")
    if len(mobile) == 11 and mobile[0] == "1" and mobile[1] in "3456789":
        return PHONE
    if 13 <= size <= 19 and _is_issued(digits, size) and _luhn(digits):
        return BANK_CARD
    return ID_CARD if size == 15 and _is_old_id_card(digits) else None


def _judged(run: str, note: Note) -> str:
    """A run without what it is; where it is nothing as a whole, each part between spaces is looked at."""
    kind = kind_of(run)
    if kind is not None:
        note(kind)
        return f"[{kind}]"
    if " " not in run:
        return run
    parts = []
    for part in run.split(" "):
        kind = kind_of(part) if len(part) > 8 else None
        if kind is not None:
            note(kind)
        parts.append(part if kind is None else f"[{kind}]")
    return " ".join(parts)


def _is_id_card(text: str) -> bool:
    """Region, birth date and the check character of GB 11643."""
    if not text[:17].isdecimal() or not 11 <= int(text[:2]) <= 82:
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    if not 1900 <= born.year <= 2099:
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True)) % 11
    return _CHECKS[rest] == text[17].upper()


def _is_old_id_card(digits: str) -> bool:
    """Fifteen digits: a region as they were numbered then, a birth date without its century, and a serial.

    There is no check digit, so every part has to be one that was given out: 2 of 1,000 random numbers pass.
    """
    prefecture, district, year = int(digits[2:4]), int(digits[4:6]), int(digits[6:8])
    cities, regions = _PREFECTURES.get(digits[:2], (0, 0))
    if not (1 <= prefecture <= cities or 21 <= prefecture <= regions) or year < 10 or digits[12:] == "000":
        return False
    if not (1 <= district <= 39 or 81 <= district <= 89):
        return False
    try:
        date(1900 + year, int(digits[8:10]), int(digits[10:12]))
    except ValueError:
        return False
    return True


def _is_landline(area: str, number: str) -> bool:
    """Eight digits behind three of an area, seven or eight behind four; a date behind a branch's number is none."""
    digits = re.sub(r"[ \-]", "", number)
    if len(area) + len(digits) not in (11, 12) or (len(area) == 3 and len(digits) != 8):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return True
    return len(digits) != 8 or digits[:2] != "20"


# By province the last of its cities, which count from 01, and of its regions, which count from 21; those of
# then too. Chongqing's numbers were Sichuan's before 1997.
_PREFECTURES: Mapping[str, tuple[int, int]] = {
    "11": (2, 0), "12": (2, 0), "13": (11, 33), "14": (11, 27), "15": (9, 30), "21": (14, 22), "22": (8, 24),
    "23": (12, 27), "31": (2, 0), "32": (13, 29), "33": (11, 29), "34": (18, 30), "35": (9, 29), "36": (11, 27),
    "37": (17, 29), "41": (17, 30), "42": (13, 30), "43": (13, 33), "44": (21, 33), "45": (14, 33), "46": (3, 22),
    "50": (2, 0), "51": (20, 37), "52": (6, 30), "53": (9, 35), "54": (6, 26), "61": (10, 28), "62": (12, 30),
    "63": (2, 28), "64": (5, 22), "65": (4, 43),
}  # fmt: skip
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def _is_issued(digits: str, size: int) -> bool:
    """Whether a card issuer's numbers begin so and are this long."""
    two, four = int(digits[:2]), int(digits[:4])
    if two == 62:
        return 16 <= size <= 19
    if size == 16:
        return (
            digits[0] == "4"
            or 51 <= two <= 55
            or 2221 <= four <= 2720
            or 3528 <= four <= 3589
            or four == 6011
            or two == 65
        )
    if size == 15:
        return two in (34, 37)
    if size == 14:
        return two in (36, 38) or 3000 <= four <= 3059
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _plain(written: str) -> str:
    """A JSON text without escapes that could hide a digit, or what stands before one."""
    try:
        plain = json.dumps(json.loads(written), ensure_ascii=False)
        plain.encode()
    except (ValueError, UnicodeEncodeError):  # half a character, which only its escape can write
        return written
    return plain
