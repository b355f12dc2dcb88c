"""The checker of functions about the person: traits, audiences, and values as they were.

`ago` leaves its argument as it is written and marks the functions in it with how long before now
they are asked, so that whoever lowers or explains them needs no other context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from spira.segment.conditions import arguments
from spira.segment.conditions.faults import (
    BAD_VALUE,
    MISSING_ARGUMENT,
    NOT_ALLOWED_HERE,
    UNKNOWN_AUDIENCE,
    UNKNOWN_NAME,
)
from spira.segment.conditions.functions import AUDIENCES, MOVES, POPULATION, WINDOW
from spira.segment.conditions.notes import EventScope, Notes
from spira.segment.conditions.tree import Call, Literal, Name, Node, mapped, walk
from spira.segment.conditions.windows import duration
from spira.segment.conditions.zones import ZONES

Check = Callable[[Node, EventScope | None, Notes], Node]


def trait(node: Call, notes: Notes) -> Call:
    """`trait('city')`: a trait, whatever else is called so."""
    positional = node.positional()
    if not arguments.names(node, (), notes) or not arguments.counted(node, positional, 1, 1, notes):
        return node
    if not arguments.is_text(positional[0]):
        notes.fault(BAD_VALUE, positional[0], "the name of a trait is expected here", "write it in quotes")
        return node
    name, traits = arguments.text(positional[0]), notes.catalog.traits
    if name not in traits:
        notes.unknown(UNKNOWN_NAME, positional[0], "trait", name, traits)
        return node
    notes.read("traits", name)
    return replace(node, type=traits[name])


def membership(node: Call, notes: Notes) -> Call:
    """`in_audience`, `consented`, `entered_audience` and `left_audience`."""
    wanted = 1 if node.function in AUDIENCES else 2
    positional = node.positional()
    good = arguments.names(node, WINDOW if node.function in MOVES else (), notes)
    good = arguments.windows(node, notes) and good
    if not arguments.counted(node, positional, wanted, wanted, notes):
        return node
    if not all(arguments.is_text(each) for each in positional):
        notes.fault(BAD_VALUE, node, f"`{node.function}` takes names in quotes")
        return node
    if node.function in AUDIENCES:
        name = arguments.text(positional[0])
        if name not in notes.catalog.audiences:
            notes.unknown(UNKNOWN_AUDIENCE, positional[0], "audience", name, notes.catalog.audiences)
            return node
        notes.read("audiences", name)
    return replace(node, type="boolean") if good else node


def zone(node: Node, notes: Notes) -> bool:
    """Whether an argument may say in which zone a time is read; a literal one has to be a zone."""
    if not isinstance(node, Literal) or not isinstance(node.value, str) or node.value in ZONES:
        return True
    near = [each for each in ZONES if each.rpartition("/")[2].lower() == node.value.lower()]
    notes.unknown(BAD_VALUE, node, "time zone", node.value, near or ZONES)
    return False


def several_lines(node: Call, conditions: Sequence[Node], notes: Notes) -> bool:
    """Whether `bought_with` has something to bring together: two conditions on lines."""
    names = (part for each in conditions for part in walk(each) if isinstance(part, Name))
    on_lines = any(each.role != "property" for each in names)  # a name that is unknown has its own fault
    if len(conditions) > 1 and on_lines:
        return True
    help = "as in bought_with('Order Completed', products.department = 'a', products.department = 'b')"
    notes.fault(MISSING_ARGUMENT, node, "`bought_with` needs two conditions on the lines of an event", help)
    return False


def ago(node: Call, notes: Notes, check: Check) -> Call:
    """`ago(value, '30 days')`: what the value was then, of functions about events alone."""
    positional = node.positional()
    if not arguments.names(node, (), notes) or not arguments.counted(node, positional, 2, 2, notes):
        return node
    value = check(positional[0], None, notes)
    if not arguments.length(positional[1], notes):
        return replace(node, arguments=(value, positional[1]))
    unkept = next((each for each in walk(value) if _has_no_past(each)), None)
    if unkept is not None:
        help = "functions about events can be asked of the past; tags, traits and memberships are kept as they are now"
        notes.fault(NOT_ALLOWED_HERE, unkept, "only what comes from events has a value some time ago", help)
        return node
    before = _earlier(value, duration(arguments.text(positional[1])))
    return replace(node, arguments=(before, replace(positional[1], type="text")), type=value.type)


def _has_no_past(node: Node) -> bool:
    if isinstance(node, Name):
        return node.role in ("tag", "score", "trait")
    return isinstance(node, Call) and (
        node.function in ("trait", "in_audience", "consented") or node.function in POPULATION
    )


def _earlier(node: Node, by: timedelta) -> Node:
    """The same node with every function in it asked so much earlier."""
    made = mapped(node, lambda each: _earlier(each, by))
    return replace(made, shift=made.shift + by) if isinstance(made, Call) else made
