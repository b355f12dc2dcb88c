"""The checker of function calls: which function, where it may stand, and its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from spira.segment.conditions import arguments, personal, types
from spira.segment.conditions.agreement import a, agreed, condition
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.faults import (
    AGGREGATE_OUTSIDE_TAG,
    BAD_VALUE,
    MISSING_ARGUMENT,
    NOT_ALLOWED_HERE,
    POPULATION_OUTSIDE_TAG,
    TWO_ARRAYS,
    UNKNOWN_FUNCTION,
    WRONG_TYPE,
)
from spira.segment.conditions.functions import (
    AGGREGATES,
    BEHAVIOURS,
    FUNCTIONS,
    HOUSEHOLDS,
    LOCAL,
    PERSONAL,
    POPULATION,
    SCALARS,
    Accepts,
    Behaviour,
    Scalar,
)
from spira.segment.conditions.notes import EventScope, Notes
from spira.segment.conditions.tree import Call, Literal, Name, Named, Node, walk

Check = Callable[[Node, EventScope | None, Notes], Node]


def check_call(node: Call, scope: EventScope | None, notes: Notes, check: Check) -> Node:
    """The call with its type, or without one where it has a fault."""
    if node.function not in FUNCTIONS:
        notes.unknown(UNKNOWN_FUNCTION, node, "function", node.function, FUNCTIONS)
        return node
    if node.function in SCALARS:
        return _scalar(node, SCALARS[node.function], scope, notes, check)
    if node.function == "trait":
        return personal.trait(node, notes) if _plain(node, notes) else node
    if scope is not None:
        help = "inside it, only properties of the event and functions of values are known"
        notes.fault(NOT_ALLOWED_HERE, node, f"`{node.function}` can't stand inside `{scope.function}`", help)
        return node
    if node.function in AGGREGATES:
        return _aggregate(node, notes, check)
    if not _plain(node, notes):
        return node
    if node.function in BEHAVIOURS:
        return _behaviour(node, BEHAVIOURS[node.function], notes, check)
    if node.function in POPULATION:
        return _population(node, notes, check)
    return personal.ago(node, notes, check) if node.function in PERSONAL else personal.membership(node, notes)


def _plain(node: Call, notes: Notes) -> bool:
    if not (node.star or node.distinct or node.where is not None):
        return True
    help = f"`*`, `distinct` and `filter` belong to {', '.join(AGGREGATES)}"
    notes.fault(NOT_ALLOWED_HERE, node, f"`{node.function}` takes no `*`, `distinct` or `filter`", help)
    return False


def _scalar(node: Call, function: Scalar, scope: EventScope | None, notes: Notes, check: Check) -> Node:
    if not _plain(node, notes) or not arguments.names(node, (), notes):
        return node
    most = None if function.variadic else len(function.takes)
    least = len(function.takes) - function.optional
    if not arguments.counted(node, node.arguments, least, most, notes):
        return node
    checked = [check(each, scope, notes) for each in node.arguments]
    if function.name == "days_between":  # a text beside a time is one, as everywhere
        adapted, shared = agreed(checked, node, notes)
        if shared is None:
            return replace(node, arguments=adapted)
        checked = list(adapted)
    wanted = [function.takes[min(index, len(function.takes) - 1)] for index in range(len(checked))]
    kinds: list[Type] = []
    for each, accepted in zip(checked, wanted, strict=True):
        if each.type is None:
            continue
        if not types.accepts(accepted, each.type):
            message = f"`{node.function}` takes {types.described(accepted)} here, and this is {a(each.type)}"
            notes.fault(WRONG_TYPE, each, message)
        else:
            kinds.append(each.type)
    if function.name == "round" and len(checked) > 1 and not arguments.places(checked[1], notes):
        return node
    if function.name in LOCAL and len(checked) > 1 and not personal.zone(checked[1], notes):
        return node
    if len(kinds) < len(checked):
        return replace(node, arguments=tuple(checked))
    if not function.same:
        return _typed(node, checked, kinds[0] if function.result == "value" else function.result)
    adapted, shared = agreed(checked, node, notes)
    return _typed(node, adapted, shared if function.result in ("common", "value") else function.result)


def _typed(node: Call, arguments: Sequence[Node], kind: str | None) -> Node:
    return replace(node, arguments=tuple(arguments), type=kind)  # type: ignore[arg-type]


def _behaviour(node: Call, function: Behaviour, notes: Notes, check: Check) -> Node:
    if function.name == "days_since" and _of_a_time(node):
        return _days_since_time(node, notes, check)
    good = arguments.names(node, function.named, notes)
    good = arguments.windows(node, notes) and good
    good = arguments.bounds(node, notes) and good
    good = arguments.options(node, notes) and good
    positional = node.positional()
    values = 1 if function.value else 0
    most = None if function.conditions else values + function.most_events
    if not arguments.counted(node, positional, values + function.events, most, notes):
        return node
    named_events = positional[values : values + function.most_events]
    known = [arguments.event(each, notes) for each in named_events]
    if function.name == "followed" and "without" in node.named():
        known.append(arguments.event(node.named()["without"], notes))
    event = known[0]
    scope = EventScope(function=node.function, event=event, unknown=event is None)
    value = [check(each, scope, notes) for each in positional[:values]]
    rest = [condition(check(each, scope, notes), notes) for each in positional[values + function.most_events :]]
    good = _accepted(node, value, function, notes) and good
    good = _one_array(node, [*value, *rest], notes) and good
    good = (function.name != "bought_with" or personal.several_lines(node, rest, notes)) and good
    checked = iter([*value, *(replace(each, type="text") for each in named_events), *rest])
    put_back = tuple(each if isinstance(each, Named) else next(checked) for each in node.arguments)
    whole = replace(node, arguments=put_back)
    return _typed(whole, put_back, _result(function, value)) if good and None not in known else whole


def _accepted(node: Call, value: Sequence[Node], function: Behaviour, notes: Notes) -> bool:
    for each in value:
        if each.type is None:
            return False
        if function.value and not types.accepts(function.value, each.type):
            message = f"`{node.function}` takes {types.described(function.value)}, and this is {a(each.type)}"
            notes.fault(WRONG_TYPE, each, message)
            return False
    return True


def _result(function: Behaviour, value: Sequence[Node]) -> str | None:
    if function.result in ("value", "sum"):
        kind = value[0].type
        return "integer" if kind == "null" and function.result == "sum" else kind
    return function.result


def _one_array(node: Call, parts: Sequence[Node], notes: Notes) -> bool:
    arrays = {each.parts[0] for part in parts for each in walk(part) if isinstance(each, Name) and each.role == "field"}
    if len(arrays) < 2:
        return True
    both = " and ".join(f"`{each}`" for each in sorted(arrays))
    notes.fault(TWO_ARRAYS, node, f"{both} are different arrays, and a function works on the lines of one")
    return False


def _of_a_time(node: Call) -> bool:
    positional = node.positional()
    return bool(positional) and not (isinstance(positional[0], Literal) and positional[0].kind == "text")


def _days_since_time(node: Call, notes: Notes, check: Check) -> Node:
    good = arguments.names(node, (), notes)
    if not arguments.counted(node, node.positional(), 1, 1, notes):
        return node
    value = check(node.positional()[0], None, notes)
    if value.type is not None and not types.accepts("time", value.type):
        help = "write an event, as in days_since('Order Completed'), or a name whose values are times"
        notes.fault(WRONG_TYPE, value, f"`days_since` takes a time, and this is {a(value.type)}", help)
        good = False
    return _typed(node, (value,), "integer") if good and value.type else node


def _population(node: Call, notes: Notes, check: Check) -> Node:
    if not notes.population:
        help = "make it a tag's value and use the tag"
        notes.fault(POPULATION_OUTSIDE_TAG, node, f"`{node.function}` compares all people, only in a tag's value", help)
        return node
    allowed = ("n",) if node.function == "ntile" else ()
    good = arguments.names(node, allowed, notes)
    if not arguments.counted(node, node.positional(), 1, 1, notes):
        return node
    if node.function == "ntile" and good:
        good = _parts(node, notes)
    value = check(node.positional()[0], None, replace(notes, population=False))
    wanted, said = _TAKEN.get(node.function, _ORDERED)
    if value.type is not None and not types.accepts(wanted, value.type):
        notes.fault(WRONG_TYPE, value, f"`{node.function}` takes {said}")
        good = False
    put_back = tuple(each if isinstance(each, Named) else value for each in node.arguments)
    kind: Type = "number" if node.function == "percentile" else "integer"
    if node.function in HOUSEHOLDS and value.type:
        kind = value.type
    return _typed(node, put_back, kind) if good and value.type else node


_ORDERED: tuple[Accepts, str] = ("ordered", "a value with an order")
# What functions take that look at more people than one, where it is not any value with an order.
_TAKEN: Mapping[str, tuple[Accepts, str]] = {
    "household_sum": ("numeric", "a number or an amount"),
    "household_any": ("boolean", "something that is true or false"),
}


def _parts(node: Call, notes: Notes) -> bool:
    parts = node.named().get("n")
    if parts is None:
        notes.fault(MISSING_ARGUMENT, node, "`ntile` needs `n => 10`, how many parts to make")
        return False
    if isinstance(parts, Literal) and parts.kind == "integer" and 2 <= arguments.number(parts) <= 1000:
        return True
    notes.fault(BAD_VALUE, parts, "`n` is a whole number from 2 to 1000")
    return False


def _aggregate(node: Call, notes: Notes, check: Check) -> Node:
    if not notes.aggregates:
        help = f"write `{node.function}_of(...)` with an event" if node.function != "count" else "write `count_of(...)`"
        notes.fault(AGGREGATE_OUTSIDE_TAG, node, f"`{node.function}` over all events is for a tag's value", help)
        return node
    if (node.star or node.distinct) and node.function != "count":
        notes.fault(NOT_ALLOWED_HERE, node, f"`{node.function}` takes no `*` or `distinct`")
        return node
    least = 0 if node.star else 1
    if not arguments.names(node, (), notes) or not arguments.counted(node, node.arguments, least, 1, notes):
        return node
    scope = EventScope(function=node.function)
    where = None if node.where is None else condition(check(node.where, scope, notes), notes)
    value = [check(each, scope, notes) for each in node.arguments]
    whole = replace(node, arguments=tuple(value), where=where)
    stand_in = BEHAVIOURS["count_of" if node.function == "count" else f"{node.function}_of"]
    known = stand_in if node.function != "count" else replace(stand_in, value="any")
    if not _accepted(node, value, known, notes) or not _one_array(node, [*value, *([where] if where else [])], notes):
        return whole
    return _typed(whole, value, _result(known, value))
