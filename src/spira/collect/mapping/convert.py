"""Values: what stands in a column, as the values that calls carry, a whole column at a time.

A column of texts is cleaned and read by Arrow; only where that fails is it read value by value.
What can't be read costs its own row alone, with the reason. Times become ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spira.collect.mapping.model import ColumnDefinition
from spira.collect.mapping.values import BLANKS, EXACT_DIGITS, FORMATS, READERS, Wrong, cleaned, reads, shown, text_of

_ARROW_NUMBER = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$"


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
    if pc.any(pc.match_substring_regex(column, "^['‘’`][0-9+=@-]")).as_py():
        column = pc.replace_substring_regex(column, "^['‘’`]([0-9+=@-])", r"\1")
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
        if "%f" in shape or "%z" in shape.lower() or not reads(first, shape):
            continue
        found = pc.strptime(column, format=shape, unit="s", error_is_null=True)
        # strptime takes the 30th of February for the 2nd of March: what is written back must be what was read.
        if found.null_count == column.null_count and pc.all(pc.equal(pc.strftime(found, format=shape), column)).as_py():
            return found
    return None


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
    read = READERS[declared.type]
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


def _hides_masked(declared: ColumnDefinition) -> bool:
    return declared.masked == "empty" or (declared.masked is None and declared.type in ("phone", "email"))
