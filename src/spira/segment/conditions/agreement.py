"""Agreement: what several checked nodes must be to stand together, and what to say when they are not."""

from __future__ import annotations

from collections.abc import Sequence

from spira.segment.conditions import types
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.faults import WRONG_RESULT, WRONG_TYPE
from spira.segment.conditions.notes import Notes
from spira.segment.conditions.tree import Node


def condition(checked: Node, notes: Notes) -> Node:
    """A checked node that has to be true or false; a fault where it is neither."""
    if checked.type not in (None, "boolean", "null"):
        help = "compare it with something, as in `... > 0` or `... = 'text'`"
        notes.fault(WRONG_RESULT, checked, f"a condition is expected here, and this is {a(checked.type)}", help)
    return checked


def agreed(checked: Sequence[Node], whole: Node, notes: Notes) -> tuple[tuple[Node, ...], Type | None]:
    """Checked nodes that must be of one type: with literals adapted, and that type."""
    if any(each.type is None for each in checked):
        return tuple(checked), None
    try:
        nodes = types.adapted(checked, notes.catalog.zone)
    except ValueError:
        help = "write '2026-01-31' or '2026-01-31 18:00'"
        notes.fault(WRONG_TYPE, whole, "a date or a time is compared with a text that is none", help)
        return tuple(checked), None
    kinds = [each.type for each in nodes if each.type is not None]
    found = types.common(kinds)
    if found is None:
        named = sorted(set(kinds) - {"null"})
        notes.fault(WRONG_TYPE, whole, f"{' and '.join(a(each) for each in named)} can't be compared or mixed")
    return nodes, found


def a(kind: Type | None) -> str:
    """A type as a message says it."""
    words = {"integer": "a whole number", "number": "a number", "money": "an amount of money", "null": "null"}
    return words.get(kind or "null", f"a {kind}")
