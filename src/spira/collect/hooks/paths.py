"""Paths: where in a webhook's call a value stands, and values made of what stands there.

    $.order.id            a part of the body            $.lines[0]["odd key"]
    $headers.x-event-id   a header, in small letters     $query.shop
    @.sku                 a part of the item in hand, where a rule or a value goes over an array
    order-{$.order.id}    a text with paths in it        $$5 is the text $5

Any other text, number or truth stands for itself. Where a path leads nowhere there is nothing,
which is no fault by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, get_args

from spira.kernel.clock import iso, parse_instant

As = Literal["text", "integer", "number", "boolean", "time"]
KINDS: tuple[As, ...] = get_args(As)
SPECIAL = frozenset({"path", "value", "as", "default", "values", "other", "required", "each", "fields"})
_HEADS = frozenset({"path", "value", "each"})
_ROOT = re.compile(r"\$headers(?=[.\[])|\$query(?=[.\[])|[$@]")
_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(-?\d{1,6})\]|\["([^"\]]+)"\]|\['([^'\]]+)'\]""")
_HOLE = re.compile(r"\{([$@][^{}]*)\}")
_YES, _NO = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_MILLISECONDS = 100_000_000_000  # an instant above it is told in thousandths


class BadPath(ValueError):
    """A text that is no path, or a value that is written wrongly; its message says why."""


class Unmapped(ValueError):
    """A call that can't become what the mapping says; its message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call as paths see it: the body, headers by small names, the query, and the item in hand."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    item: Any = None

    def at(self, item: Any) -> Called:
        """The same with another item in hand."""
        return Called(body=self.body, headers=self.headers, query=self.query, item=item)


Path = tuple[str, tuple[str | int, ...]]


@lru_cache(maxsize=4_096)
def read_path(text: str) -> Path:
    """A path as its root and its steps; BadPath for a text that is none."""
    root = _ROOT.match(text)
    if root is None:
        raise BadPath(f"`{text}` is no path; one begins with $, $headers, $query or @")
    steps: list[str | int] = []
    at = root.end()
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise BadPath(f'`{text}` is no path: `{text[at:]}` is neither .name, [0] nor ["a name"]')
        name = step[1] or step[3] or step[4]
        steps.append(int(step[2]) if name is None else name.lower() if root[0] == "$headers" else name)
        at = step.end()
    return root[0], tuple(steps)


def is_path(text: str) -> bool:
    """Whether a text is meant as a path."""
    return text[:1] in ("$", "@") and not text.startswith("$$")


def find(text: str, called: Called) -> Any:
    """What stands at a path; None where it leads nowhere."""
    root, steps = read_path(text)
    found: Any = {"$": called.body, "@": called.item, "$headers": called.headers, "$query": called.query}[root]
    for step in steps:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and -len(found) <= step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found


def check_value(written: Any) -> None:
    """BadPath for the first thing in a value that can't be read."""
    if isinstance(written, str):
        for path in [written] if is_path(written) else _HOLE.findall(written):
            read_path(path)
    elif isinstance(written, list):
        for each in written:
            check_value(each)
    elif isinstance(written, dict):
        if written.keys() & _HEADS:
            _check_special(written)
        else:
            for each in written.values():
                check_value(each)


def value(written: Any, called: Called) -> Any:
    """What a written value is for a call; Unmapped where it can't be that."""
    if isinstance(written, str):
        if is_path(written):
            return find(written, called)
        return _filled(written, called)
    if isinstance(written, list):
        return [value(each, called) for each in written]
    if isinstance(written, dict):
        return _special(written, called) if written.keys() & _HEADS else members(written, called)
    return written


def members(written: Mapping[str, Any], called: Called) -> dict[str, Any]:
    """An object of values, without those that are nothing."""
    found = ((name, value(each, called)) for name, each in written.items())
    return {name: each for name, each in found if each is not None}


def over(path: str, called: Called) -> Iterator[Called]:
    """The call with each item of an array in hand; none where there is no array."""
    found = find(path, called)
    if found is not None and not isinstance(found, list):
        raise Unmapped(f"`{path}` is no list")
    yield from (called.at(item) for item in found or ())


def _check_special(written: Mapping[str, Any]) -> None:
    if strange := sorted(written.keys() - SPECIAL):
        raise BadPath(f"`{strange[0]}` does not belong to a value; its keys are {', '.join(sorted(SPECIAL))}")
    for path in _paths(written):
        read_path(path)
    if "as" in written and written["as"] not in KINDS:
        raise BadPath(f"a value can't be `{written['as']}`; it is one of {', '.join(KINDS)}")
    if "each" in written and not isinstance(written.get("fields"), dict):
        raise BadPath("a value with `each` needs `fields`")
    if "values" in written and not isinstance(written["values"], dict):
        raise BadPath("`values` says what each value becomes: {paid: true}")
    if "fields" in written:
        check_value(dict(written["fields"]))


def _paths(written: Mapping[str, Any]) -> list[str]:
    told = written.get("each", written.get("path"))
    if told is None:
        return []
    return [str(each) for each in told] if isinstance(told, list) else [str(told)]


def _filled(text: str, called: Called) -> str | None:
    """A text with its paths filled in; nothing when one of them leads nowhere."""
    if text.startswith("$$"):
        return text[1:]
    if "{" not in text:
        return text
    told = {path: _text(find(path, called)) for path in _HOLE.findall(text)}
    return None if None in told.values() else _HOLE.sub(lambda hole: told[hole[1]] or "", text)


def _special(written: Mapping[str, Any], called: Called) -> Any:
    if "each" in written:
        return [members(written["fields"], item) for item in over(str(written["each"]), called)]
    if "value" in written:
        found = written["value"]
    else:
        found = next((each for path in _paths(written) if (each := find(path, called)) not in (None, "")), None)
    if "values" in written and found is not None:
        found = _mapped(written, found)
    if found is not None and "as" in written:
        found = _as(written["as"], found)
    if found is None:
        found = written.get("default")
    if found is None and written.get("required"):
        raise Unmapped(f"there is nothing at `{' or '.join(_paths(written))}`")
    return found


def _mapped(written: Mapping[str, Any], found: Any) -> Any:
    known, said = written["values"], _text(found)
    if said in known:
        return known[said]
    if "other" not in written:
        raise Unmapped(f"`{said}` is none of the values that are known at `{' or '.join(_paths(written))}`")
    return found if written["other"] == "keep" else written["other"]


def _as(kind: As, found: Any) -> Any:
    try:
        return _CONVERT[kind](found)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise Unmapped(f"`{str(found)[:60]}` is not {kind}") from None


def _text(found: Any) -> str | None:
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    if isinstance(found, int | float):
        return str(found)
    raise ValueError


def _integer(found: Any) -> int:
    number = _number(found)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _number(found: Any) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise ValueError
    number = Decimal(str(found).strip())
    if not number.is_finite():
        raise ValueError
    return number


def _boolean(found: Any) -> bool:
    said = (_text(found) or "").strip().lower()
    if said not in _YES | _NO:
        raise ValueError
    return said in _YES


def as_time(found: Any) -> str:
    """An instant told as ISO 8601, or as seconds or thousandths since 1970."""
    text = str(found).strip()
    if isinstance(found, bool) or not re.fullmatch(r"\d+(\.\d+)?", text):
        return iso(parse_instant(text))
    seconds = float(text)
    if seconds > _MILLISECONDS:
        seconds /= 1_000
    return iso(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))


_CONVERT = {"text": _text, "integer": _integer, "number": _number, "boolean": _boolean, "time": as_time}
