"""One value: what stands in a cell, read as what its column says, and what is wrong with it.

The slow way of `convert`, and the one that knows every case. Times become ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from spira.collect.identifiers import normalise
from spira.collect.mapping.model import ColumnDefinition

BLANKS = " \t\r\n\v\f\u00a0\u3000\ufeff\u200b"
FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
)
EXACT_DIGITS = 15  # digits that a double keeps
_MONEY_MARKS = re.compile(r"[,¥￥元$€£\s]|RMB|CNY", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_YES = frozenset({"true", "1", "yes", "y", "t", "on", "是", "有", "同意", "√"})
_NO = frozenset({"false", "0", "no", "n", "f", "off", "否", "无", "不同意", "×"})
_GUARDED = re.compile(r'="?(.*?)"?', re.DOTALL)
_APOSTROPHE = re.compile(r"['‘’`](?=[\d+=@-])")


class Wrong(ValueError):
    """A value that is not what its column says; the message says what it should be."""


def cleaned(text: str) -> str:
    """A text without what exports put around it: blanks, ="…" and a leading apostrophe."""
    text = text.strip(BLANKS)
    if text.startswith("=") and (found := _GUARDED.fullmatch(text)):
        text = found.group(1).strip(BLANKS)
    return _APOSTROPHE.sub("", text, count=1) if text[:1] in ("'", "‘", "’", "`") and _APOSTROPHE.match(text) else text


def text_of(value: Any) -> str:
    """Any value as a text."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            if abs(value) >= 10**EXACT_DIGITS:
                raise Wrong("the table keeps it as a number, and its last digits are lost (write the column as text)")
            return str(int(value)) if value.is_integer() else repr(value)
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case dict() | list():
            return _JSON.encode(value).decode()
        case _:
            return str(value)


def shown(value: Any) -> str:
    """A value that is at fault, as far as it is worth showing."""
    try:
        return text_of(value)[:80]
    except (Wrong, TypeError):
        return repr(value)[:80]


def _text(value: Any, _declared: ColumnDefinition, _zone: str) -> str:
    return text_of(value)


def _integer(value: Any, _declared: ColumnDefinition, _zone: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _decimal(value)
    if number != number.to_integral_value():
        raise Wrong("this is no whole number")
    return int(number)


def _number(value: Any, _declared: ColumnDefinition, _zone: str) -> int | float | Decimal:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    number = _decimal(value)
    exact = len(number.as_tuple().digits) <= EXACT_DIGITS
    return float(number) if exact else number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    text = _MONEY_MARKS.sub("", text_of(value))
    if not _NUMBER.fullmatch(text):
        raise Wrong("this is no number")
    return Decimal(text)


def _boolean(value: Any, _declared: ColumnDefinition, _zone: str) -> bool:
    if isinstance(value, bool):
        return value
    text = text_of(value).lower()
    if text not in _YES and text not in _NO:
        raise Wrong("this is neither yes nor no (`values` can say what it is)")
    return text in _YES


def _time(value: Any, declared: ColumnDefinition, zone: str) -> str:
    return _instant_text(_instant(value, declared, zone))


def _date(value: Any, declared: ColumnDefinition, _zone: str) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _instant(value, declared, "UTC").date().isoformat()


def _instant(value: Any, declared: ColumnDefinition, zone: str) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=_zone_of(zone))
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=_zone_of(zone))
    if declared.format in ("unix", "unix_ms"):
        seconds = float(_decimal(value)) / (1000 if declared.format == "unix_ms" else 1)
        return datetime.fromtimestamp(seconds, UTC)
    found = _parsed(text_of(value), declared.format)
    return found if found.tzinfo else found.replace(tzinfo=_zone_of(zone))


def _parsed(text: str, shape: str | None) -> datetime:
    if shape:
        if reads(text, shape):
            return datetime.strptime(text, shape)
        raise Wrong(f"this is no time written as {shape}")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for each in FORMATS:
            if reads(text, each):
                return datetime.strptime(text, each)
    raise Wrong("this is no time that can be read (`format` can say how it is written)")


def _instant_text(instant: datetime) -> str:
    told = instant.astimezone(UTC).replace(tzinfo=None)
    return told.isoformat(timespec="microseconds" if told.microsecond else "seconds") + "Z"


def _phone(value: Any, _declared: ColumnDefinition, _zone: str) -> str:
    found = normalise("phone", text_of(value))
    if found is None:
        raise Wrong("this is no telephone number")
    return found


def _email(value: Any, _declared: ColumnDefinition, _zone: str) -> str:
    found = normalise("email", text_of(value))
    if found is None:
        raise Wrong("this is no e-mail address")
    return found


def _json(value: Any, _declared: ColumnDefinition, _zone: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        raise Wrong("this is no JSON") from None


READERS: dict[str, Callable[[Any, ColumnDefinition, str], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "money": _number,
    "boolean": _boolean,
    "time": _time,
    "date": _date,
    "phone": _phone,
    "email": _email,
    "json": _json,
}


def reads(text: str, shape: str) -> bool:
    """Whether a text is a time written in this way."""
    try:
        datetime.strptime(text, shape)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=64)
def _zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)
