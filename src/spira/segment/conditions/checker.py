"""The checker: gives every node its type, and collects every fault in one pass.

A part with a fault has no type and causes no further faults around it. The tree that comes
back is the same with types, roles of names and adapted literals filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from spira.segment.conditions import calls, types
from spira.segment.conditions.agreement import a, agreed, condition
from spira.segment.conditions.catalog import NUMERIC
from spira.segment.conditions.faults import (
    AMBIGUOUS_NAME,
    BAD_VALUE,
    UNKNOWN_EVENT,
    UNKNOWN_NAME,
    UNKNOWN_PROPERTY,
    WRONG_TYPE,
)
from spira.segment.conditions.notes import EventScope, Notes
from spira.segment.conditions.tree import (
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Logic,
    Name,
    Negative,
    Node,
    Not,
)

LARGEST = 2**63 - 1


def check(node: Node, scope: EventScope | None, notes: Notes) -> Node:
    """The node with its type, inside a behaviour function (`scope`) or outside (None)."""
    match node:
        case Literal():
            return _literal(node, notes)
        case Name():
            return _name(node, scope, notes) if scope is None or not scope.unknown else node
        case Call():
            return calls.check_call(node, scope, notes, check)
        case Not():
            return replace(node, operand=condition(check(node.operand, scope, notes), notes), type="boolean")
        case Logic():
            operands = tuple(condition(check(each, scope, notes), notes) for each in node.operands)
            return replace(node, operands=operands, type="boolean")
        case Negative():
            return _negative(node, scope, notes)
        case Arithmetic():
            return _arithmetic(node, scope, notes)
        case Case():
            return _case(node, scope, notes)
        case _:
            return _test(node, scope, notes)


def _literal(node: Literal, notes: Notes) -> Node:
    value = node.value
    if isinstance(value, int | Decimal) and (value > LARGEST or (isinstance(value, Decimal) and _too_fine(value))):
        notes.fault(BAD_VALUE, node, "this number is out of range", "numbers reach to 9223372036854775807")
        return node
    return replace(node, type=node.kind)


def _too_fine(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return not isinstance(exponent, int) or exponent < -30 or exponent > 30


def _name(node: Name, scope: EventScope | None, notes: Notes) -> Node:
    word = ".".join(node.parts)
    if scope is not None:
        found = scope.resolve(node.parts, notes.catalog)
        if found is None:
            _unknown_property(node, word, scope, notes)
            return node
        notes.read("properties", word)
        return replace(node, role=found[0], type=found[1])
    roles = notes.catalog.roles(word) if len(node.parts) == 1 else {}
    if len(roles) > 1:
        both = " and a ".join(roles)
        notes.fault(AMBIGUOUS_NAME, node, f"`{word}` is a {both}", "rename one of them")
    elif not roles:
        _unknown_name(node, word, notes)
    else:
        ((role, kind),) = roles.items()
        notes.read(f"{role}s", word)
        return replace(node, role=role, type=kind)
    return node


def _unknown_property(node: Name, word: str, scope: EventScope, notes: Notes) -> None:
    catalog = notes.catalog
    what = f"property of `{scope.event}`" if scope.event else "property of any event"
    known = [*scope.properties(catalog), *scope.fields(catalog)]
    roles = catalog.roles(word)
    if roles:
        message = f"there is no {what} called `{word}`"
        help = f"`{word}` is a {next(iter(roles))}; inside `{scope.function}` only properties of events are known"
        notes.fault(UNKNOWN_PROPERTY, node, message, help)
    else:
        notes.unknown(UNKNOWN_PROPERTY, node, what, word, known)


def _unknown_name(node: Name, word: str, notes: Notes) -> None:
    catalog = notes.catalog
    known = [*catalog.tags, *catalog.scores, *catalog.traits]
    anywhere = EventScope(function="")
    if word in catalog.idle and len(node.parts) == 1:
        help = f"write `status: applied` in the tag `{word}`, or take it out here"
        notes.fault(UNKNOWN_NAME, node, f"the tag `{word}` is a draft or retired, and nothing may use it", help)
        return
    if anywhere.resolve(node.parts, catalog):
        help = f"`{word}` is a property of events; use it inside a function, as in `last_of({word}, 'Event')`"
        notes.fault(UNKNOWN_NAME, node, f"there is no tag, score or trait called `{word}`", help)
    else:
        notes.unknown(UNKNOWN_NAME, node, "tag, score or trait", word, known)


def _negative(node: Negative, scope: EventScope | None, notes: Notes) -> Node:
    operand = check(node.operand, scope, notes)
    if operand.type is not None and operand.type not in NUMERIC | {"null"}:
        notes.fault(WRONG_TYPE, node.operand, f"a number is expected after `-`, and this is {a(operand.type)}")
        return replace(node, operand=operand)
    return replace(node, operand=operand, type=operand.type)


def _arithmetic(node: Arithmetic, scope: EventScope | None, notes: Notes) -> Node:
    left, right = check(node.left, scope, notes), check(node.right, scope, notes)
    if left.type is None or right.type is None:
        return replace(node, left=left, right=right)
    found = types.arithmetic(node, left.type, right.type)
    if found is None:
        joins = node.op == "||"
        wrong = f"`{node.op}` takes two {'texts' if joins else 'numbers'}"
        notes.fault(WRONG_TYPE, node, f"{wrong}, and these are {a(left.type)} and {a(right.type)}")
    return replace(node, left=left, right=right, type=found)


def _test(node: Node, scope: EventScope | None, notes: Notes) -> Node:
    match node:
        case Compare():
            left, right = _alike((node.left, node.right), node, scope, notes)
            _known_event((left, right), scope, notes)
            return replace(node, left=left, right=right, type="boolean")
        case In():
            operand, *items = _alike((node.operand, *node.items), node, scope, notes)
            _known_event((operand, *items), scope, notes)
            return replace(node, operand=operand, items=tuple(items), type="boolean")
        case Between():
            operand, low, high = _alike((node.operand, node.low, node.high), node, scope, notes)
            return replace(node, operand=operand, low=low, high=high, type="boolean")
        case Like():
            operand, pattern = check(node.operand, scope, notes), check(node.pattern, scope, notes)
            for each in (operand, pattern):
                if each.type not in (None, "text", "null"):
                    notes.fault(WRONG_TYPE, each, f"`like` compares texts, and this is {a(each.type)}")
            return replace(node, operand=operand, pattern=pattern, type="boolean")
        case IsNull():
            return replace(node, operand=check(node.operand, scope, notes), type="boolean")
        case _:
            raise TypeError(f"{type(node).__name__} stands on its own nowhere")


def _alike(nodes: Sequence[Node], whole: Node, scope: EventScope | None, notes: Notes) -> tuple[Node, ...]:
    checked = [check(each, scope, notes) for each in nodes]
    return agreed(checked, whole, notes)[0]


def _known_event(nodes: Sequence[Node], scope: EventScope | None, notes: Notes) -> None:
    """`event = 'Ordr Completed'` names an event as surely as an argument does."""
    if scope is None or not any(isinstance(each, Name) and each.parts == ("event",) for each in nodes):
        return
    for each in nodes:
        if isinstance(each, Literal) and isinstance(each.value, str):
            if each.value in notes.catalog.events:
                notes.read("events", each.value)
            else:
                notes.unknown(UNKNOWN_EVENT, each, "event", each.value, notes.catalog.events)


def _case(node: Case, scope: EventScope | None, notes: Notes) -> Node:
    if node.operand is None:
        operand, tests = None, [condition(check(each.condition, scope, notes), notes) for each in node.whens]
    else:
        checked = [check(each, scope, notes) for each in (node.operand, *(each.condition for each in node.whens))]
        (operand, *tests), _ = agreed(checked, node.operand, notes)
    ends = [each.result for each in node.whens] + ([node.otherwise] if node.otherwise else [])
    results, kind = agreed([check(each, scope, notes) for each in ends], node, notes)
    whens = tuple(
        replace(when, condition=test, result=result)
        for when, test, result in zip(node.whens, tests, results, strict=False)
    )
    otherwise = results[-1] if node.otherwise else None
    return replace(node, operand=operand, whens=whens, otherwise=otherwise, type=kind)
