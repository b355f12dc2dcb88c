"""Comparisons: the part of a sentence that compares something with what a person has typed.

`orders >= 3`, `city in ('青岛', '济南')`, `last_order_at is null`: a subject (a name, or a function
about events), an operator, and literal values. A test is taken apart and put together here; what
is put together from fields that were not changed says the same as before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from spira.segment.conditions.catalog import NUMERIC, Type
from spira.segment.conditions.functions import BEHAVIOURS
from spira.segment.conditions.printer import printed
from spira.segment.conditions.tree import (
    Between,
    Call,
    Compare,
    Comparison,
    In,
    IsNull,
    Like,
    Literal,
    Name,
    Negative,
    Node,
)

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
LISTS, RANGES, NULLS = ("in", "not in"), ("between", "not between"), ("is null", "is not null")
PARTS = ("contains", "starts_with", "ends_with", "has_item")  # functions that ask what a text has
OF_TEXT = ("=", "<>", "in", "not in", *PARTS, "like", "not like", *NULLS)
OF_ORDER = ("=", "<>", "<", "<=", ">", ">=", *RANGES, *NULLS)
TRUE = "is true"
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A subject, an operator, and the values as one types them."""

    subject: Name | Call
    op: str
    value: str = ""
    upper: str = ""

    def fields(self) -> dict[str, str]:
        """The words of the test that can be changed."""
        return {"op": self.op, "value": self.value, "upper": self.upper}


def operators(kind: Type | None) -> tuple[str, ...]:
    """The operators that make sense for a type; all of them where it is not known."""
    if kind == "boolean":
        return (TRUE, *NULLS)
    if kind == "text":
        return OF_TEXT
    if kind in NUMERIC or kind in ("time", "date"):
        return OF_ORDER
    return tuple(dict.fromkeys((TRUE, *OF_TEXT, *OF_ORDER)))


def compared_of(node: Node) -> Compared | None:
    """A node as a test, when it is one with literal values."""
    found = _parts(node)
    if found is None:
        return None
    subject, op, values = found
    texts = [shown(each) for each in values]
    if not isinstance(subject, Name) and not (isinstance(subject, Call) and subject.function in BEHAVIOURS):
        return None
    if None in texts:
        return None
    kept = [each or "" for each in texts]
    if op in LISTS:
        return None if any("," in each or each != each.strip() for each in kept) else _listed(subject, op, kept)
    return Compared(subject=subject, op=op, value=kept[0] if kept else "", upper=kept[1] if len(kept) > 1 else "")


def _listed(subject: Name | Call, op: str, kept: list[str]) -> Compared:
    return Compared(subject=subject, op=op, value=", ".join(kept))


def _parts(node: Node) -> tuple[Node, str, tuple[Node, ...]] | None:
    match node:
        case Name():
            return node, TRUE, ()
        case Compare():
            return node.left, node.op, (node.right,)
        case In():
            return node.operand, LISTS[node.negated], node.items
        case Between():
            return node.operand, RANGES[node.negated], (node.low, node.high)
        case Like():
            return node.operand, "not like" if node.negated else "like", (node.pattern,)
        case IsNull():
            return node.operand, NULLS[node.negated], ()
        case Call(arguments=(Name() as subject, Literal() as value)) if node.function in PARTS:
            return subject, node.function, (value,)
        case _:
            return None


def built(subject: Node, op: str, value: str, upper: str, kind: Type | None) -> Node:
    """A subject compared with what was typed; `kind` is the subject's type, where it is known."""
    if op == TRUE:
        return subject
    if op in NULLS:
        return IsNull(operand=subject, negated=op == NULLS[1])
    if op in LISTS:
        items = tuple(literal(each.strip(), kind) for each in re.split("[,，、]", value) if each.strip())
        return In(operand=subject, items=items or (literal("", kind),), negated=op == LISTS[1])
    if op in RANGES:
        low, high = literal(value, kind), literal(upper, kind)
        return Between(operand=subject, low=low, high=high, negated=op == RANGES[1])
    if op in ("like", "not like"):
        return Like(operand=subject, pattern=literal(value, "text"), negated=op == "not like")
    if op in PARTS:
        return Call(function=op, arguments=(subject, literal(value, "text")))
    return Compare(op=cast("Comparison", op), left=subject, right=literal(value, kind))


def literal(typed: str, kind: Type | None) -> Node:
    """What was typed as a literal: a number where numbers are meant and it is one, true and false, else a text."""
    text = typed.strip()
    number = text.removeprefix("-")
    if kind not in ("text", "time", "date") and _NUMBER.fullmatch(number):
        value: int | Decimal = int(number) if number.isdigit() and len(number) < 20 else Decimal(number)
        made = Literal(kind="integer" if isinstance(value, int) else "number", value=value)
        return Negative(operand=made) if text.startswith("-") else made
    if kind == "boolean" and text.lower() in ("true", "false"):
        return Literal(kind="boolean", value=text.lower() == "true")
    return Literal(kind="text", value=typed)


def shown(node: Node) -> str | None:
    """A literal as one types it; None for what is no literal, and for null."""
    if isinstance(node, Negative) and isinstance(node.operand, Literal):
        return printed(node)
    if not isinstance(node, Literal) or node.value is None:
        return None
    return node.value if isinstance(node.value, str) else printed(Literal(kind=node.kind, value=node.value))


def literal_text(node: Node) -> str | None:
    """The value of a literal text; None for anything else."""
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None
