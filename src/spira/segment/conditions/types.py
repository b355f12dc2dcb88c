"""How types go together: what may be compared, what a mix of them is, and literals that adapt.

`null` goes with everything. A number written in the text adapts to money, and a text to a
date or a time, where the other side is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from spira.segment.conditions.catalog import NUMERIC, Type
from spira.segment.conditions.functions import Accepts
from spira.segment.conditions.tree import Arithmetic, Literal, Negative, Node
from spira.segment.conditions.windows import moment

PLACES = 4
_ACCEPTED: dict[Accepts, frozenset[Type]] = {
    "boolean": frozenset({"boolean"}),
    "numeric": NUMERIC,
    "text": frozenset({"text"}),
    "time": frozenset({"time"}),
    "moment": frozenset({"time", "date"}),
    "integer": frozenset({"integer"}),
    "ordered": NUMERIC | {"text", "time", "date"},
}


def accepts(wanted: Accepts, found: Type) -> bool:
    """Whether an argument of type `found` may stand where `wanted` is asked for."""
    return wanted == "any" or found == "null" or found in _ACCEPTED[wanted]


def described(wanted: Accepts) -> str:
    """`wanted` as a message says it."""
    words = {"numeric": "a number", "text": "a text", "time": "a time", "moment": "a time or a date"}
    return words.get(wanted, "a whole number" if wanted == "integer" else "a value with an order")


def common(types: Iterable[Type]) -> Type | None:
    """The one type that holds values of all of these, or None."""
    kinds = set(types) - {"null"}
    if not kinds:
        return "null"
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= NUMERIC:
        return "number" if "number" in kinds else "money"
    return None


def arithmetic(node: Arithmetic, left: Type, right: Type) -> Type | None:
    """The type of a sum, product and so on, or None where the two don't go together."""
    kinds = {left, right} - {"null"}
    if node.op == "||":
        return "text" if kinds <= {"text"} else None
    if not kinds <= NUMERIC:
        return None
    if node.op == "/" or "number" in kinds:
        return "number"
    if "money" in kinds:
        return "number" if node.op == "*" and left == right else "money"
    return "integer"


def adapted(nodes: Sequence[Node], zone: str) -> tuple[Node, ...]:
    """The same values, with literals of the type that the others have; ValueError names a bad one."""
    others = {each.type for each in nodes if not isinstance(each, Literal)}
    if others & {"time", "date"} and not others & {"text"}:
        wanted: Type = "time" if "time" in others else "date"
        return tuple(_as_moment(each, wanted, zone) for each in nodes)
    if "money" in others:
        return tuple(_as_money(each) for each in nodes)
    return tuple(nodes)


def _as_moment(node: Node, wanted: Type, zone: str) -> Node:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        return node
    if wanted == "date":
        date.fromisoformat(node.value)
    else:
        moment(node.value, zone)
    return replace(node, type=wanted)


def _as_money(node: Node) -> Node:
    if isinstance(node, Negative):
        inner = _as_money(node.operand)
        return node if inner is node.operand else replace(node, operand=inner, type=inner.type)
    if isinstance(node, Literal) and isinstance(node.value, Decimal) and _is_exact(node.value):
        return replace(node, type="money")
    return node


def _is_exact(value: Decimal) -> bool:
    exponent = value.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES and abs(value) < 10**14
