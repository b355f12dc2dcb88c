"""Windows in sentences: ever, in the last days, in some days before that, since a day, between two days."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from spira.segment.conditions.tree import Literal, Named, Node
from spira.segment.sentences.compared import literal_text

UNITS = ("minutes", "hours", "days", "weeks")
# Which arguments make which window; the words of the others are empty.
SHAPES: Mapping[str, tuple[str, ...]] = {
    "ever": (),
    "last": ("within",),
    "before": ("within", "ending"),
    "since": ("since",),
    "between": ("since", "until"),
    "until": ("until",),
}
ARGUMENTS = ("within", "ending", "since", "until")
_LENGTH = re.compile(r"\s*(\d+)\s*(minute|hour|day|week)s?\s*", re.IGNORECASE)


def fields_of(named: Mapping[str, Node], *, extra: Sequence[str] = ()) -> dict[str, str] | None:
    """The words of a window; None where its arguments have no sentence."""
    given = tuple(name for name in ARGUMENTS if name in named)
    shape = next((name for name, arguments in SHAPES.items() if arguments == given), None)
    lengths = {name: length(named.get(name)) for name in ("within", "ending")}
    days = {name: literal_text(named[name]) if name in named else "" for name in ("since", "until")}
    if shape is None or None in lengths.values() or None in days.values() or set(named) - {*ARGUMENTS, *extra}:
        return None
    found = {"window": shape, **{name: each or "" for name, each in days.items()}}
    for name, both in lengths.items():
        found[f"{name}_n"], found[f"{name}_unit"] = both or ("", "days")
    return found


def length(node: Node | None) -> tuple[str, str] | None:
    """A duration as its number and unit; ("", "days") for none; None for what is not written so."""
    if node is None:
        return "", "days"
    found = _LENGTH.fullmatch(literal_text(node) or "")
    return (found.group(1), found.group(2).lower() + "s") if found else None


def arguments(fields: Mapping[str, str], *, known: Mapping[str, Node]) -> Iterator[Named]:
    """The named arguments that the words say; one that says what `known` says already stays as it was written."""
    for name in SHAPES.get(fields.get("window", "ever"), ()):
        if name in ("within", "ending"):
            default = "30" if name == "within" else "7"
            yield lasting(name, fields.get(f"{name}_n", "") or default, fields.get(f"{name}_unit", "days"), known)
        elif fields.get(name):
            yield Named(name=name, value=Literal(kind="text", value=fields[name]))


def lasting(name: str, number: str, unit: str, known: Mapping[str, Node]) -> Named:
    """A duration as an argument; the old one where it is as long and in the same unit."""
    if name in known and length(known[name]) == (number, unit):
        return Named(name=name, value=known[name])
    one = unit.removesuffix("s") if number == "1" else unit
    return Named(name=name, value=Literal(kind="text", value=f"{number} {one}"))
