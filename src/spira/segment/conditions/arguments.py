"""The checks that many functions share: names and number of arguments, events, windows, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from spira.kernel.durations import BadDuration
from spira.segment.conditions.faults import (
    BAD_DURATION,
    BAD_VALUE,
    EMPTY_WINDOW,
    MISSING_ARGUMENT,
    TOO_MANY_ARGUMENTS,
    UNKNOWN_ARGUMENT,
    UNKNOWN_EVENT,
)
from spira.segment.conditions.notes import Notes
from spira.segment.conditions.tree import Call, Literal, Named, Negative, Node
from spira.segment.conditions.windows import duration, midnight

LENGTHS = ("within", "ending", "gap", "total", "half_life")
DAYS = ("since", "until")
_OF_AN_EVENT = ("did", "count_of", "days_since", "active_days", "streak")
MOST_PLACES = 6


def text(node: Node) -> str:
    """The value of a literal text."""
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    raise TypeError("not a literal text")


def is_text(node: Node) -> bool:
    """Whether a node is a literal text."""
    return isinstance(node, Literal) and node.kind == "text"


def names(node: Call, allowed: Sequence[str], notes: Notes) -> bool:
    """Whether all named arguments are known, and none is given twice."""
    good, seen = True, set[str]()
    for each in node.arguments:
        if not isinstance(each, Named):
            continue
        if each.name not in allowed:
            notes.unknown(UNKNOWN_ARGUMENT, each, f"argument of `{node.function}`", each.name, allowed)
            good = False
        elif each.name in seen:
            notes.fault(TOO_MANY_ARGUMENTS, each, f"`{each.name}` is given twice")
            good = False
        seen.add(each.name)
    return good


def counted(node: Call, given: Sequence[Node], least: int, most: int | None, notes: Notes) -> bool:
    """Whether as many arguments stand there as the function takes."""
    if len(given) < least:
        wanted = "one argument" if least == 1 else f"{least} arguments"
        message = f"`{node.function}` needs {wanted}, and {len(given)} {'is' if len(given) == 1 else 'are'} given"
        notes.fault(MISSING_ARGUMENT, node, message, _usage(node.function))
        return False
    if most is not None and len(given) > most:
        message = f"`{node.function}` takes {most or 'no'} argument{'' if most == 1 else 's'}, and this is one more"
        notes.fault(TOO_MANY_ARGUMENTS, given[most], message)
        return False
    return True


def _usage(function: str) -> str | None:
    if function in ("followed", "funnel"):
        return f"as in {function}('Product Viewed', 'Product Added', gap => '1 day')"
    if function.endswith("_of") and function != "count_of":
        return f"as in {function}(revenue, 'Order Completed')"
    return f"as in {function}('Order Completed')" if function in _OF_AN_EVENT else None


def event(node: Node, notes: Notes) -> str | None:
    """The event that an argument names, or None after noting a fault."""
    if not is_text(node):
        message, help = "the name of an event is expected here", "write it in quotes, as in 'Order Completed'"
        notes.fault(BAD_VALUE, node, message, help)
        return None
    name = text(node)
    if name not in notes.catalog.events:
        notes.unknown(UNKNOWN_EVENT, node, "event", name, notes.catalog.events)
        return None
    notes.read("events", name)
    return name


def windows(node: Call, notes: Notes) -> bool:
    """Whether all durations and days can be read, and leave some time between them."""
    named, good = node.named(), True
    for name in LENGTHS:
        if name in named and not length(named[name], notes):
            good = False
    days = [named[name] for name in DAYS if name in named]
    readable = [_day(each, notes) for each in days]
    good = all(readable) and good
    if good and len(days) == 2 and date.fromisoformat(text(days[0])) >= date.fromisoformat(text(days[1])):
        notes.fault(EMPTY_WINDOW, days[1], "`until` is not later than `since`, so no event can count")
        return False
    return good


def length(node: Node, notes: Notes) -> bool:
    """Whether an argument is a duration that can be read."""
    help = "write a number and minutes, hours, days or weeks, as in '30 days'"
    if not is_text(node):
        if isinstance(node, Negative) or (isinstance(node, Literal) and node.value == 0):
            notes.fault(EMPTY_WINDOW, node, "a window has a length greater than zero", help)
        else:
            notes.fault(BAD_DURATION, node, "a duration is written in quotes", help)
        return False
    written = text(node)
    try:
        duration(written)
    except BadDuration as found:
        empty = written.strip().startswith("-") or "has no length" in str(found)
        if empty:
            notes.fault(EMPTY_WINDOW, node, f"`{written}` is no length of time greater than zero", help)
        elif "month" in written or "year" in written:
            notes.fault(BAD_DURATION, node, f"`{written}` has no one length", "write days, as in '30 days'")
        else:
            notes.fault(BAD_DURATION, node, str(found))
        return False
    return True


def _day(node: Node, notes: Notes) -> bool:
    try:
        midnight(text(node), notes.catalog.zone)
    except (TypeError, ValueError):
        notes.fault(BAD_VALUE, node, "a day is expected here", "write it as '2026-01-31'")
        return False
    return True


def bounds(node: Call, notes: Notes) -> bool:
    """Whether `at_least` and `at_most` are whole numbers from 1 that leave a choice."""
    named, good = node.named(), True
    given = [named[name] for name in ("at_least", "at_most") if name in named]
    for each in given:
        if not (isinstance(each, Literal) and each.kind == "integer" and isinstance(each.value, int) and each.value):
            notes.fault(BAD_VALUE, each, "a whole number from 1 is expected here")
            good = False
    if good and len(given) == 2 and number(given[0]) > number(given[1]):
        notes.fault(BAD_VALUE, given[1], "`at_most` is less than `at_least`")
        return False
    return good


def options(node: Call, notes: Notes) -> bool:
    """Whether `current` says true or false, and a funnel has one limit of time at most."""
    named, good = node.named(), True
    current = named.get("current")
    if current is not None and not (isinstance(current, Literal) and current.kind == "boolean"):
        notes.fault(BAD_VALUE, current, "`current` is true or false")
        good = False
    if node.function == "funnel" and "gap" in named and "total" in named:
        help = "`gap` is from step to step, `total` from the first to the last"
        notes.fault(BAD_VALUE, named["total"], "`gap` and `total` can't both be given", help)
        good = False
    return good


def places(node: Node, notes: Notes) -> bool:
    """Whether an argument says how many decimals to keep."""
    if isinstance(node, Literal) and node.kind == "integer" and number(node) <= MOST_PLACES:
        return True
    notes.fault(BAD_VALUE, node, f"how many decimals to keep is a whole number from 0 to {MOST_PLACES}")
    return False


def number(node: Node) -> int:
    """The value of a literal whole number."""
    if isinstance(node, Literal) and isinstance(node.value, int):
        return node.value
    raise TypeError("not a literal whole number")
