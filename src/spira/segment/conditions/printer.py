"""The printer: a tree back into text.

A tree that was parsed and not changed prints exactly as it was written, comments and all.
A changed part prints canonically, and its unchanged parts as they were written. Whatever is
printed parses to the same tree: a stretch of the old text is used only when it still does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from spira.segment.conditions.parser import KEYWORDS, parse
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
    Named,
    Negative,
    Node,
    Not,
    When,
)

Write = Callable[[Node], str]
_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)
_PLAIN = re.compile(r"[^\W\d]\w*")


def printed(tree: Node) -> str:
    """The text of a tree: as it was written where it still says that, canonical elsewhere."""
    text = _kept(tree)
    return f"{tree.place.before}{text}{tree.place.after}"


def canonical(tree: Node) -> str:
    """The one text of all trees that are equal to this one."""
    return _written(tree, canonical)


def _kept(node: Node) -> str:
    source = node.place.source
    if source is not None and parse(source) == _bare(node):
        return source
    return _written(node, _kept)


def _bare(node: Node) -> Node | None:
    return None if isinstance(node, Named | When) else node


def _written(node: Node, write: Write) -> str:
    match node:
        case Literal():
            return _literal(node)
        case Name():
            return ".".join(_word(each) for each in node.parts)
        case Call():
            return _call(node, write)
        case Named():
            return f"{node.name} => {write(node.value)}"
        case Case() | When():
            return _case(node, write)
        case _:
            return _operator(node, write)


def _operator(node: Node, write: Write) -> str:
    match node:
        case Logic():
            level = _OR if node.op == "or" else _AND
            return f" {node.op} ".join(_within(each, level + 1, write) for each in node.operands)
        case Not():
            return f"not {_within(node.operand, _NOT, write)}"
        case Negative():
            return f"-{_within(node.operand, _ATOM, write)}"
        case Compare():
            return f"{_within(node.left, _SUM, write)} {node.op} {_within(node.right, _SUM, write)}"
        case Arithmetic():
            level = _PRODUCT if node.op in "*/" else _SUM
            return f"{_within(node.left, level, write)} {node.op} {_within(node.right, level + 1, write)}"
        case _:
            return _test(node, write)


def _test(node: Node, write: Write) -> str:
    match node:
        case In():
            items = ", ".join(write(each) for each in node.items)
            return f"{_within(node.operand, _SUM, write)}{_not(node.negated)} in ({items})"
        case Between():
            bounds = f"{_within(node.low, _SUM, write)} and {_within(node.high, _SUM, write)}"
            return f"{_within(node.operand, _SUM, write)}{_not(node.negated)} between {bounds}"
        case Like():
            pattern = _within(node.pattern, _SUM, write)
            return f"{_within(node.operand, _SUM, write)}{_not(node.negated)} like {pattern}"
        case IsNull():
            return f"{_within(node.operand, _SUM, write)} is{_not(node.negated)} null"
        case _:
            raise TypeError(f"{type(node).__name__} is no construct of the language")


def _call(node: Call, write: Write) -> str:
    inside = "*" if node.star else ", ".join(write(each) for each in node.arguments)
    where = "" if node.where is None else f" filter (where {write(node.where)})"
    return f"{node.function}({'distinct ' if node.distinct else ''}{inside}){where}"


def _case(node: Case | When, write: Write) -> str:
    if isinstance(node, When):
        return f"when {write(node.condition)} then {write(node.result)}"
    operand = "" if node.operand is None else f" {write(node.operand)}"
    whens = " ".join(write(each) for each in node.whens)
    otherwise = "" if node.otherwise is None else f" else {write(node.otherwise)}"
    return f"case{operand} {whens}{otherwise} end"


def _literal(node: Literal) -> str:
    match node.value:
        case None:
            return "null"
        case bool():
            return "true" if node.value else "false"
        case str():
            return "'" + node.value.replace("'", "''") + "'"
        case Decimal():
            shown = format(node.value, "f")
            return shown if "." in shown else f"{shown}.0"
        case _:
            return str(node.value)


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word) and word.lower() not in KEYWORDS:
        return word
    return '"' + word.replace('"', '""') + '"'


def _not(negated: bool) -> str:
    return " not" if negated else ""


def _within(node: Node, level: int, write: Write) -> str:
    text = write(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    match node:
        case Logic():
            return _OR if node.op == "or" else _AND
        case Not():
            return _NOT
        case Compare() | In() | Between() | Like() | IsNull():
            return _PREDICATE
        case Arithmetic():
            return _PRODUCT if node.op in "*/" else _SUM
        case Negative():
            return _UNARY
        case _:
            return _ATOM
