"""The tree of an expression: one frozen class per construct, each knowing its place.

Two trees are equal when they say the same; where they stood in a text, and what types the
checker found, take no part in that. Trees are built by the parser and by the console's
builder alike, and changed with `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from typing import Literal as Choice

from spira.segment.conditions.catalog import Role, Type

Comparison = Choice["=", "<>", "<", "<=", ">", ">="]
Operator = Choice["+", "-", "*", "/", "||"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Characters `start` to `end` of a text; `source` is what stood there, the rest surrounds a whole expression."""

    start: int = 0
    end: int = 0
    source: str | None = None
    before: str = ""
    after: str = ""


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any part of an expression; `type` is None until the checker has seen it."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)
    type: Type | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A text, a number that is not negative, true, false or null."""

    kind: Choice["text", "integer", "number", "boolean", "null"]
    value: str | int | Decimal | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """`city`, or `products.department`; `role` says what the checker found it to be."""

    parts: tuple[str, ...]
    role: Role | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    """`not` of a condition."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative(Node):
    """A minus sign before a number."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    """Two or more conditions, all of which (`and`) or any of which (`or`) hold."""

    op: Choice["and", "or"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    """Two values compared."""

    op: Comparison
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """Two numbers combined, or two texts joined by `||`."""

    op: Operator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class In(Node):
    """A value among several."""

    operand: Node
    items: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Node):
    """A value between two others, both included."""

    operand: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Like(Node):
    """A text that fits a pattern: `%` is any characters, `_` is one."""

    operand: Node
    pattern: Node
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNull(Node):
    """Whether a value is missing."""

    operand: Node
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class When(Node):
    """One branch of a `case`."""

    condition: Node
    result: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Node):
    """The result of the first branch that holds; with an `operand`, that equals it."""

    operand: Node | None = None
    whens: tuple[When, ...]
    otherwise: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Node):
    """An argument by name: `within => '90 days'`."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function of its arguments, in the order written; the next three are for aggregates of SQL.

    `shift` is how long before now the function is asked, as the checker found it to stand inside `ago`.
    """

    function: str
    arguments: tuple[Node, ...] = ()
    star: bool = False
    distinct: bool = False
    where: Node | None = None
    shift: timedelta = field(default=timedelta(0), compare=False, repr=False)

    def positional(self) -> tuple[Node, ...]:
        """The arguments without a name."""
        return tuple(each for each in self.arguments if not isinstance(each, Named))

    def named(self) -> dict[str, Node]:
        """The arguments with a name."""
        return {each.name: each.value for each in self.arguments if isinstance(each, Named)}


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, in the order of the text."""
    match node:
        case Not() | Negative() | IsNull():
            return (node.operand,)
        case Logic():
            return node.operands
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case In():
            return (node.operand, *node.items)
        case Between():
            return (node.operand, node.low, node.high)
        case Like():
            return (node.operand, node.pattern)
        case When():
            return (node.condition, node.result)
        case Case():
            ends = (node.operand, *node.whens, node.otherwise)
            return tuple(each for each in ends if each is not None)
        case Named():
            return (node.value,)
        case Call():
            return node.arguments if node.where is None else (*node.arguments, node.where)
        case _:
            return ()


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with each of its own parts changed."""

    def inside(value: Any) -> Any:
        if isinstance(value, Node):
            return change(value)
        return tuple(map(inside, value)) if isinstance(value, tuple) else value

    return replace(node, **{each.name: inside(getattr(node, each.name)) for each in fields(node)})


def walk(node: Node) -> Iterator[Node]:
    """A node and everything under it, outermost first."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(children(found)))


def depth(node: Node) -> int:
    """How many nodes lie one inside another; found without recursion, for it guards recursion."""
    deepest, waiting = 0, [(node, 1)]
    while waiting:
        found, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((each, level + 1) for each in children(found))
    return deepest
