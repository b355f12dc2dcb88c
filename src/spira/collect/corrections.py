"""Corrections: small repairs of refused calls on their way back, so that nobody has to send them again.

An event gets another name, properties get other names, and a value that was sent as one type is read
as another where nothing is lost by it: the text "12.50" as a number, 3 as a text. What can't be read
so stays as it is, and is refused again by the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from spira.collect.tracking import SQL_TYPES, PropertyType
from spira.kernel.errors import SpiraError

Raw = msgspec.Raw
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d{1,30})?")
_DAY = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
_TRUTHS = {"true": b"true", "1": b"true", "yes": b"true", "false": b"false", "0": b"false", "no": b"false"}
_MILLISECONDS = 10**11  # a number of seconds this large would be in the year 5138


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is put right: the event's name, names of properties, and the types that values are read as."""

    event: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, PropertyType] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.event or self.rename or self.read)


NO_CORRECTION = Correction()


def correction_of(event: str = "", rename: str = "", read: str = "") -> Correction:
    """A correction as people write it: `old=new, other=better` and `revenue=money`."""
    types = _pairs(read, "revenue=money")
    for name, type in types.items():
        if type not in SQL_TYPES:
            raise SpiraError(
                f"`{type}` is no type that `{name}` could be read as", help=f"types: {', '.join(SQL_TYPES)}"
            )
    return Correction(event=event.strip() or None, rename=_pairs(rename, "old_name=new_name"), read=types)  # type: ignore[arg-type]  # checked above


def _pairs(written: str, example: str) -> dict[str, str]:
    found = {}
    for part in filter(None, (each.strip() for each in re.split(r"[,\n]", written))):
        left, equals, right = (each.strip() for each in part.partition("="))
        if not (left and equals and right):
            raise SpiraError(f"`{part[:60]}` is no correction", help=f"write it as {example}; commas between several")
        found[left] = right
    return found


def corrected(body: bytes, correction: Correction) -> bytes:
    """The call put right; itself where there is nothing to correct."""
    if not correction:
        return body
    try:
        told = _OBJECT.decode(body)
        properties = _OBJECT.decode(told["properties"]) if "properties" in told else {}
    except (msgspec.MsgspecError, RecursionError):
        return body
    if correction.event and "event" in told:
        told["event"] = Raw(msgspec.json.encode(correction.event))
    fresh: dict[str, Raw] = {}
    for name, raw in properties.items():
        goal = correction.rename.get(name, name)
        if goal != name and goal in properties:
            goal = name
        type = correction.read.get(goal)
        fresh[goal] = raw if type is None else read_as(type, raw)
    if properties:
        told["properties"] = Raw(msgspec.json.encode(fresh))
    return msgspec.json.encode(told)


def read_as(type: PropertyType, raw: Raw) -> Raw:
    """A value as JSON of the type, where that loses nothing; else the value itself."""
    try:
        value = msgspec.json.decode(raw)
        made = None if value is None else _READ[type](value, bytes(raw).decode())
    except (ValueError, OverflowError, OSError, RecursionError):
        made = None
    return raw if made is None else Raw(made)


def _text(value: object, written: str) -> bytes | None:
    simple = isinstance(value, bool | int | float)
    return msgspec.json.encode(written) if simple else None


def _number(value: object, _: str) -> bytes | None:
    if not isinstance(value, str):
        return None
    digits = value.strip()
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    return format(Decimal(digits), "f").encode() if _NUMBER.fullmatch(digits) else None


def _boolean(value: object, _: str) -> bytes | None:
    return None if isinstance(value, bool) else _TRUTHS.get(str(value).strip().lower())


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS else value, UTC)


def _time(value: object, _: str) -> bytes | None:
    at = _instant(value)
    if at is None and isinstance(value, str) and (day := _DAY.match(value.strip())):
        rest = value.strip()[day.end() :].strip() or "00:00:00"
        at = datetime.fromisoformat(f"{_iso(day)}T{rest.lstrip('T')}")
    return None if at is None else msgspec.json.encode(at.isoformat())


def _date(value: object, _: str) -> bytes | None:
    at = _instant(value)
    if at is not None:
        return msgspec.json.encode(at.date().isoformat())
    day = _DAY.match(value.strip()) if isinstance(value, str) else None
    return None if day is None else msgspec.json.encode(_iso(day))


def _iso(day: re.Match[str]) -> str:
    year, month, date = (int(part) for part in day.groups())
    return f"{year:04}-{month:02}-{date:02}"


_READ: Mapping[PropertyType, Callable[[object, str], bytes | None]] = {
    "text": _text,
    "integer": _number,
    "number": _number,
    "money": _number,
    "boolean": _boolean,
    "time": _time,
    "date": _date,
}
