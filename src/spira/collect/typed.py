"""Typed: reading declared details from JSON, strictly.

A value has the JSON type of its declaration, or it is wrong: `"3"` is no integer, and 3 is no
text. Money is exact: it is kept as a whole number of ten-thousandths ("ticks") from the digits
that were sent. Lines of arrays are read by a Struct made from the plan, all in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from spira.collect.personal import ID_CARD, IP, is_network, kind_of, names_contact, names_thing, scrubbed, suspects
from spira.collect.tracking import PropertyType
from spira.kernel.clock import parse_instant

Raw = msgspec.Raw
TICKS = 10_000
_PLACES, _SHORT = 4, 14  # of the digits that need no rounding: behind the point, and before it
_LARGEST = 10**18 - 1  # DECIMAL(18,4)
_NEAR = 0.49  # of a tick: farther from one than this, and a float may have been written on the other side of a half
_SURE = 1e11  # below this many ticks a float and its digits round alike
INTEGERS = 1 << 63
_NULL = b"null"

_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.int64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us"),
    "date": pa.date32(),
}
# What a line's Struct expects of JSON; the rest of the check follows in Python.
_WIRE: Mapping[PropertyType, Any] = {
    "text": str,
    "integer": int,
    "number": float,
    "money": float,
    "boolean": bool,
    "time": str,
    "date": str,
}


NotePlace = Callable[[int, str], object]


def _unsaid(_place: int, _kind: str) -> None:
    """Nobody wants to know."""


class WrongType(ValueError):
    """A value that is not what the tracking plan says; its message names it."""


def is_null(raw: Raw) -> bool:
    """Whether there is nothing in it."""
    return bytes(raw) == _NULL


def ticks(digits: str) -> int:
    """Ten-thousandths of the number written with these digits, rounded half to even."""
    whole, _, part = digits.partition(".")
    if whole.isdecimal() and len(whole) < _SHORT and len(part) <= _PLACES and (not part or part.isdecimal()):
        return int(whole + part.ljust(_PLACES, "0"))
    scaled = int(Decimal(digits).scaleb(4, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT))
    if abs(scaled) > _LARGEST:
        raise WrongType("is more than 14 digits before the point")
    return scaled


def ticks_of(amounts: Sequence[float | None]) -> list[int | None] | None:
    """Ten-thousandths of each amount; None when a float among them does not tell its digits for sure."""
    scaled = np.array(amounts, np.float64) * TICKS  # None becomes NaN
    nearest = np.rint(scaled)
    if not np.all((np.abs(scaled) < _SURE) & (np.abs(scaled - nearest) <= _NEAR) | np.isnan(scaled)):
        return None
    if None in amounts:
        return [None if amount is None else int(tick) for amount, tick in zip(amounts, nearest, strict=True)]
    whole: list[int | None] = nearest.astype(np.int64).tolist()
    return whole


_EXACT = Context(prec=60)
_TEXT = msgspec.json.Decoder(str)
_NUMBER = msgspec.json.Decoder(float)
_BOOLEAN = msgspec.json.Decoder(bool)
_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]])


def _integer(raw: Raw) -> int:
    """A whole number, be it written 3 or 3.0; only what BIGINT holds."""
    text = bytes(raw)
    number = int(text) if text.lstrip(b"-").isdigit() else None
    if number is None:
        read = _NUMBER.decode(raw)
        if not read.is_integer():
            raise WrongType("has a fraction")
        number = int(Decimal(text.decode()))
    if not -INTEGERS <= number < INTEGERS:
        raise WrongType("is too large")
    return number


def _money(raw: Raw) -> int:
    _NUMBER.decode(raw)
    return ticks(bytes(raw).decode())


READERS: Mapping[PropertyType, Callable[[Raw], Any]] = {
    "text": _TEXT.decode,
    "integer": _integer,
    "number": _NUMBER.decode,
    "money": _money,
    "boolean": _BOOLEAN.decode,
    "time": lambda raw: parse_instant(_TEXT.decode(raw)),
    "date": lambda raw: date.fromisoformat(_TEXT.decode(raw)),
}


def read(name: str, type: PropertyType, raw: Raw) -> Any:
    """The value of a declared detail, None for null; WrongType when it is something else."""
    if is_null(raw):
        return None
    try:
        return READERS[type](raw)
    except (msgspec.MsgspecError, ValueError, InvalidOperation, OverflowError, RecursionError) as fault:
        said = str(fault) if isinstance(fault, WrongType) else f"is not {_SPOKEN[type]}: {_short(raw)}"
        raise WrongType(f"`{name}` {said}") from None


_SPOKEN: Mapping[PropertyType, str] = {
    "text": "a text",
    "integer": "an integer",
    "number": "a number",
    "money": "an amount of money (a JSON number)",
    "boolean": "true or false",
    "time": "an instant such as 2026-03-01T12:00:00Z",
    "date": "a date such as 2026-03-01",
}


def _short(raw: Raw) -> str:
    """What kind of value was found; the value itself may be personal."""
    return f"a JSON {json_type(raw)} was found"


def json_type(raw: Raw) -> str:
    """The JSON type of a value: text, number, boolean, array, object or null."""
    return _JSON_TYPES.get(bytes(raw)[:1], "number")


_JSON_TYPES = {b'"': "text", b"t": "boolean", b"f": "boolean", b"[": "array", b"{": "object", b"n": "null"}


def kind_of_value(raw: Raw) -> str:
    """What a value could be declared as: a type of the tracking plan, else array, object or null."""
    return kind_of_text(bytes(raw))


def kind_of_text(text: bytes) -> str:
    """The same of a value's JSON text."""
    found = _JSON_TYPES.get(text[:1], "number")
    if found == "number":
        return "integer" if text.lstrip(b"-").isdigit() else "number"
    if found == "text" and 11 < len(text) < 40 and text[5:6] == b"-":
        if _DATE.fullmatch(text):
            return "date"
        return "time" if _TIME.fullmatch(text) else "text"
    return found


_DATE = re.compile(rb'"\d{4}-\d\d-\d\d"')
_TIME = re.compile(rb'"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)"')


class Lines:
    """Reads one declared array: a list of objects with declared fields."""

    def __init__(self, array: str, fields: Mapping[str, PropertyType]) -> None:
        self.array = array
        self.fields = dict(fields)
        # Structs get made-up attribute names, since a field may be called `class`.
        self.attributes = {name: f"f{place}" for place, name in enumerate(self.fields)}
        members = [
            (self.attributes[name], _WIRE[type] | None, msgspec.field(default=None, name=name))
            for name, type in self.fields.items()
        ]
        self._line = msgspec.defstruct("Line", members, forbid_unknown_fields=True, gc=False)
        self._decoder = msgspec.json.Decoder(list[self._line])  # type: ignore[name-defined]
        self._money = [self.attributes[name] for name, type in self.fields.items() if type == "money"]
        self._careful = any(type in ("time", "date") for type in self.fields.values())

    def read(self, raw: Raw) -> tuple[list[Any], list[bytes | None] | None]:
        """The lines as Structs, and what each holds that is not declared (None: nothing at all).

        Money is in ticks. WrongType names the field and the line.
        """
        if self._careful:
            return self._read_each(raw)
        try:
            lines = self._decoder.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return self._read_each(raw)
        return (lines, None) if self._priced(lines) else self._read_each(raw)

    def _priced(self, lines: list[Any]) -> bool:
        """Turn amounts into ticks; False when a float does not tell the digits for sure."""
        for attribute in self._money:
            for line in lines:
                value = getattr(line, attribute)
                if value is not None:
                    scaled = value * TICKS
                    nearest = round(scaled)
                    if not -_SURE < scaled < _SURE or abs(scaled - nearest) > _NEAR:
                        return False
                    setattr(line, attribute, nearest)
        return True

    def _read_each(self, raw: Raw) -> tuple[list[Any], list[bytes | None] | None]:
        try:
            objects = _OBJECTS.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            raise WrongType(f"`{self.array}` is not a list of objects") from None
        lines, extras = [], []
        for place, each in enumerate(objects):
            known = {
                self.attributes[name]: read(f"{self.array}[{place}].{name}", self.fields[name], value)
                for name, value in each.items()
                if name in self.fields
            }
            rest = {name: value for name, value in each.items() if name not in self.fields}
            lines.append(self._line(**known))
            extras.append(msgspec.json.encode(rest) if rest else None)
        return lines, extras if any(extras) else None


def column(type: PropertyType, values: list[Any], name: str = "", note: NotePlace = _unsaid) -> pa.Array:
    """Values that `read` gave, as a column that the warehouse takes as it is; money becomes DECIMAL(18,4).

    Of texts what is personal is taken out, but that a declared text which is one word, such as an id, stays
    whole unless it is an address or an identity card's number. `note` is told the place and kind of a find.
    """
    if type == "text":
        values = _without_what_is_personal(values, name, note)
    made = pa.array(values, _ARROW[type])
    if type != "money":
        return made
    # Ticks are the very integers inside a DECIMAL(18,4): the buffers are taken over unchanged.
    wide = made.cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(wide), wide.buffers(), null_count=wide.null_count)


def _without_what_is_personal(values: list[str | None], name: str, note: NotePlace) -> list[str | None]:
    """Declared texts without what is personal; where only a few may hold any, only these are looked at."""
    if names_contact(name):
        return [value and _without_personal(value, name, place, note) for place, value in enumerate(values)]
    if suspected := suspects([(value or "").encode() for value in values]):
        values = list(values)
        for place in suspected:
            values[place] = _without_personal(values[place] or "", name, place, note)
    return values


def _without_personal(text: str, name: str, place: int, note: NotePlace) -> str:
    """A declared text without what is personal."""

    def found(kind: str) -> None:
        note(place, kind)

    if "@" not in text and "%40" not in text and _WORD.fullmatch(text) and not names_contact(name):
        if len(_NO_DIGIT.sub("", text)) < _CARD or kind_of(text) != ID_CARD:
            return text
        found(ID_CARD)
        return f"[{ID_CARD}]"
    if names_contact(name) and is_network(text):
        found(IP)
        return f"[{IP}]"
    return scrubbed(text, found, thing=names_thing(name))


_CARD = 15  # digits of an identity card's number, at least
_NO_DIGIT = re.compile(r"[^\dXx]+")
_WORD = re.compile(r"[\w.:/#-]*")
