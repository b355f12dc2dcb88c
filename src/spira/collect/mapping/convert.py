"""Values: what stands in a column, as the values that calls carry, a whole column at a time.

A column of texts is cleaned and read by Arrow; only where that fails is it read value by value.
What can't be read costs its own row alone, with the reason. Times become ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

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
_ARROW_NUMBER = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$"
_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_YES = frozenset({"true", "1", "yes", "y", "t", "on", "是", "有", "同意", "√"})
_NO = frozenset({"false", "0", "no", "n", "f", "off", "否", "无", "不同意", "×"})
_GUARDED = re.compile(r'="?(.*?)"?', re.DOTALL)
_APOSTROPHE = re.compile(r"['‘’`](?=[\d+])")


class Wrong(ValueError):
    """A value that is not what its column says; the message says what it should be."""


@dataclass(slots=True)
class Converted:
    """A column's values, None where there is nothing, and what is wrong by place."""

    values: list[Any]
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def convert(column: Any, declared: ColumnDefinition, *, zone: str, empty: Sequence[str] = ()) -> Converted:
    """The values of a column; `empty` are texts that mean nothing."""
    nothing = {"", *empty, *declared.empty}
    zone = declared.zone or zone
    if isinstance(column, (pa.Array, pa.ChunkedArray)):
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found = _texts(column, declared, zone, nothing)
        else:
            found = _each(column.to_pylist(), declared, zone, nothing)
    else:
        found = _each(column, declared, zone, nothing)
    if declared.default is not None:
        found.values = [declared.default if each is None else each for each in found.values]
    if declared.required:
        for place, value in enumerate(found.values):
            if value is None and place not in found.faults:
                found.faults[place] = "", "there is no value"
    return found


def _texts(column: Any, declared: ColumnDefinition, zone: str, nothing: set[str]) -> Converted:
    """A column of texts: cleaned at once, read at once where all of it can be."""
    if declared.clean:
        column = _cleaned(column)
    column = pc.if_else(pc.is_in(column, value_set=pa.array(sorted(nothing), column.type)), None, column)
    if _hides_masked(declared):
        column = pc.if_else(pc.match_substring(column, "*"), None, column)
    if declared.values:
        return _each(column.to_pylist(), declared, zone, nothing)
    if column.null_count == len(column):
        return Converted([None] * len(column))
    quick = _QUICK.get(declared.type)
    values = quick(column, declared, zone) if quick else None
    if values is None:
        return _each(column.to_pylist(), declared, zone, nothing)
    if declared.prefix:
        values = [None if each is None else f"{declared.prefix}{each}" for each in values]
    return Converted(values)


def _cleaned(column: Any) -> Any:
    column = pc.utf8_trim(column, characters=BLANKS)
    if pc.any(pc.starts_with(column, "=")).as_py():
        column = pc.replace_substring_regex(column, r'(?s)^="?(.*?)"?$', r"\1")
        column = pc.utf8_trim(column, characters=BLANKS)
    if pc.any(pc.match_substring_regex(column, "^['‘’`][0-9+]")).as_py():
        column = pc.replace_substring_regex(column, "^['‘’`]([0-9+])", r"\1")
    return column


def _quick_text(column: Any, _declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    values: list[Any] = column.to_pylist()
    return values


def _quick_integer(column: Any, _declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    if not pc.all(pc.match_substring_regex(column, r"^[+-]?[0-9]{1,18}$")).as_py():
        return None
    plain = pc.replace_substring_regex(column, r"^\+", "")
    values: list[Any] = plain.cast(pa.int64()).to_pylist()
    return values


def _quick_number(column: Any, _declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    if pc.any(pc.match_substring_regex(column, "[,¥￥元$€£ ]")).as_py():
        column = pc.replace_substring_regex(column, "[,¥￥元$€£ ]", "")
    short = pc.less_equal(pc.utf8_length(column), EXACT_DIGITS + 1)
    if not pc.all(pc.and_(short, pc.match_substring_regex(column, _ARROW_NUMBER))).as_py():
        return None
    plain = pc.replace_substring_regex(column, r"^\+", "")
    values: list[Any] = plain.cast(pa.float64()).to_pylist()
    return values


def _quick_time(column: Any, declared: ColumnDefinition, zone: str) -> list[Any] | None:
    found = _instants(column, declared)
    if found is None:
        return None
    aware = pc.assume_timezone(found, zone, ambiguous="earliest", nonexistent="earliest")
    values: list[Any] = pc.strftime(aware.cast(pa.timestamp("s", "UTC")), format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    return values


def _quick_date(column: Any, declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    found = _instants(column, declared)
    if found is None:
        return None
    values: list[Any] = pc.strftime(found, format="%Y-%m-%d").to_pylist()
    return values


def _quick_phone(column: Any, _declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    if not pc.all(pc.match_substring_regex(column, "^1[3-9][0-9]{9}$")).as_py():
        return None
    values: list[Any] = pc.binary_join_element_wise("+86", column, "").to_pylist()
    return values


def _quick_email(column: Any, _declared: ColumnDefinition, _zone: str) -> list[Any] | None:
    if not pc.all(pc.match_substring_regex(column, r"^[!-?A-~]{1,200}@[!-?A-~]{1,200}\.[!-?A-~]{1,50}$")).as_py():
        return None
    values: list[Any] = pc.ascii_lower(column).to_pylist()
    return values


def _instants(column: Any, declared: ColumnDefinition) -> Any:
    """Texts as instants of no zone, or None unless every one of them is written in the same way."""
    if declared.format in ("unix", "unix_ms"):
        return None
    first = column.drop_null()[0].as_py()
    for shape in (declared.format,) if declared.format else FORMATS:
        if "%f" in shape or "%z" in shape.lower() or not _reads(first, shape):
            continue
        found = pc.strptime(column, format=shape, unit="s", error_is_null=True)
        # strptime takes the 30th of February for the 2nd of March: what is written back must be what was read.
        if found.null_count == column.null_count and pc.all(pc.equal(pc.strftime(found, format=shape), column)).as_py():
            return found
    return None


def _reads(text: str, shape: str) -> bool:
    try:
        datetime.strptime(text, shape)
    except ValueError:
        return False
    return True


_QUICK: dict[str, Callable[[Any, ColumnDefinition, str], list[Any] | None]] = {
    "text": _quick_text,
    "integer": _quick_integer,
    "number": _quick_number,
    "money": _quick_number,
    "time": _quick_time,
    "date": _quick_date,
    "phone": _quick_phone,
    "email": _quick_email,
}


def _each(column: Sequence[Any], declared: ColumnDefinition, zone: str, nothing: set[str]) -> Converted:
    """A column value by value; equal texts are read once."""
    found = Converted([None] * len(column))
    read = _READERS[declared.type]
    hides = _hides_masked(declared)
    known: dict[str, Any] = {}
    for place, written in enumerate(column):
        if written is None:
            continue
        try:
            if isinstance(written, str):
                if written not in known:
                    known[written] = _one(written, declared, read, zone=zone, nothing=nothing, hides=hides)
                found.values[place] = known[written]
            else:
                found.values[place] = _one(written, declared, read, zone=zone, nothing=nothing, hides=hides)
        except (Wrong, ValueError, OverflowError, InvalidOperation) as wrong:
            said = str(wrong) if isinstance(wrong, Wrong) else f"this is no {declared.type}"
            found.faults[place] = shown(written), said
    return found


def _one(
    written: Any,
    declared: ColumnDefinition,
    read: Callable[[Any, ColumnDefinition, str], Any],
    *,
    zone: str,
    nothing: set[str],
    hides: bool,
) -> Any:
    if isinstance(written, str):
        written = cleaned(written) if declared.clean else written
        if written in nothing or (hides and "*" in written):
            return None
    elif written != written:  # not a number: how some tables write that there is none
        return None
    if declared.values:
        text = text_of(written)
        if text in declared.values:
            return declared.values[text]
        if declared.other is None:
            raise Wrong(f"`values` has nothing for it, only {', '.join(list(declared.values)[:8])}")
        if declared.other != "keep":
            return declared.other
    value = read(written, declared, zone)
    return f"{declared.prefix}{value}" if declared.prefix and value is not None else value


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
        if _reads(text, shape):
            return datetime.strptime(text, shape)
        raise Wrong(f"this is no time written as {shape}")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for each in FORMATS:
            if _reads(text, each):
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


_READERS: dict[str, Callable[[Any, ColumnDefinition, str], Any]] = {
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


def _hides_masked(declared: ColumnDefinition) -> bool:
    return declared.masked == "empty" or (declared.masked is None and declared.type in ("phone", "email"))


@lru_cache(maxsize=64)
def _zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)
