"""From Lark's raw tree to ours: one method per construct of grammar.lark.

It works without recursion, so that no text can exhaust the stack before its depth is known.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from spira.segment.conditions.tree import (
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Comparison,
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
    Operator,
    Place,
    When,
)

_LONG_NUMBER = 20


@v_args(meta=True)
class Builder(Transformer_NonRecursive[Token, Any]):
    """Builds the tree of one text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def _place(self, meta: Meta) -> Place:
        return Place(start=meta.start_pos, end=meta.end_pos, source=self._text[meta.start_pos : meta.end_pos])

    def start(self, meta: Meta, parts: list[Node]) -> Node:
        (tree,) = parts
        start, end = meta.start_pos, meta.end_pos  # wider than the tree's own where brackets stand around it
        before, after = self._text[:start], self._text[end:]
        place = Place(start=start, end=end, source=self._text[start:end], before=before, after=after)
        return replace(tree, place=place)

    def any_of(self, meta: Meta, parts: list[Node]) -> Node:
        return Logic(op="or", operands=tuple(parts), place=self._place(meta))

    def all_of(self, meta: Meta, parts: list[Node]) -> Node:
        return Logic(op="and", operands=tuple(parts), place=self._place(meta))

    def opposite(self, meta: Meta, parts: list[Node]) -> Node:
        return Not(operand=parts[0], place=self._place(meta))

    def compare(self, meta: Meta, parts: list[Any]) -> Node:
        left, sign, right = parts
        op = cast("Comparison", "<>" if sign == "!=" else str(sign))
        return Compare(op=op, left=left, right=right, place=self._place(meta))

    def arithmetic(self, meta: Meta, parts: list[Any]) -> Node:
        left, sign, right = parts
        return Arithmetic(op=cast("Operator", str(sign)), left=left, right=right, place=self._place(meta))

    def negative(self, meta: Meta, parts: list[Any]) -> Node:
        return Negative(operand=parts[1], place=self._place(meta))

    def among(self, meta: Meta, parts: list[Node]) -> Node:
        return In(operand=parts[0], items=tuple(parts[1:]), place=self._place(meta))

    def not_among(self, meta: Meta, parts: list[Node]) -> Node:
        return In(operand=parts[0], items=tuple(parts[1:]), negated=True, place=self._place(meta))

    def between(self, meta: Meta, parts: list[Node]) -> Node:
        return Between(operand=parts[0], low=parts[1], high=parts[2], place=self._place(meta))

    def not_between(self, meta: Meta, parts: list[Node]) -> Node:
        return Between(operand=parts[0], low=parts[1], high=parts[2], negated=True, place=self._place(meta))

    def like(self, meta: Meta, parts: list[Node]) -> Node:
        return Like(operand=parts[0], pattern=parts[1], place=self._place(meta))

    def not_like(self, meta: Meta, parts: list[Node]) -> Node:
        return Like(operand=parts[0], pattern=parts[1], negated=True, place=self._place(meta))

    def is_null(self, meta: Meta, parts: list[Any]) -> Node:
        return IsNull(operand=parts[0], place=self._place(meta))

    def is_not_null(self, meta: Meta, parts: list[Any]) -> Node:
        return IsNull(operand=parts[0], negated=True, place=self._place(meta))

    def text(self, meta: Meta, parts: list[Token]) -> Node:
        return Literal(kind="text", value=parts[0][1:-1].replace("''", "'"), place=self._place(meta))

    def number(self, meta: Meta, parts: list[Token]) -> Node:
        written = str(parts[0])
        if written.isdigit() and len(written) < _LONG_NUMBER:
            return Literal(kind="integer", value=int(written), place=self._place(meta))
        return Literal(kind="number", value=Decimal(written), place=self._place(meta))

    def boolean(self, meta: Meta, parts: list[Token]) -> Node:
        return Literal(kind="boolean", value=parts[0].lower() == "true", place=self._place(meta))

    def null(self, meta: Meta, _parts: list[Token]) -> Node:
        return Literal(kind="null", place=self._place(meta))

    def name(self, meta: Meta, parts: list[Token]) -> Node:
        words = tuple(each[1:-1].replace('""', '"') if each.type == "QUOTED" else str(each) for each in parts)
        return Name(parts=words, place=self._place(meta))

    def named(self, meta: Meta, parts: list[Any]) -> Node:
        return Named(name=str(parts[0]).lower(), value=parts[1], place=self._place(meta))

    def filter(self, _meta: Meta, parts: list[Node]) -> tuple[Node]:
        return (parts[0],)

    def call(self, meta: Meta, parts: list[Any]) -> Node:
        function, *rest = parts
        where = rest.pop()[0] if rest and isinstance(rest[-1], tuple) else None
        marks = {each.type for each in rest if isinstance(each, Token)}
        arguments = tuple(each for each in rest if isinstance(each, Node))
        return Call(
            function=str(function).lower(),
            arguments=arguments,
            star="STAR" in marks,
            distinct="DISTINCT" in marks,
            where=where,
            place=self._place(meta),
        )

    def when(self, meta: Meta, parts: list[Node]) -> Node:
        return When(condition=parts[0], result=parts[1], place=self._place(meta))

    def otherwise(self, _meta: Meta, parts: list[Node]) -> tuple[Node]:
        return (parts[0],)

    def case(self, meta: Meta, parts: list[Any]) -> Node:
        otherwise = parts.pop()[0] if isinstance(parts[-1], tuple) else None
        operand = None if isinstance(parts[0], When) else parts.pop(0)
        return Case(operand=operand, whens=tuple(parts), otherwise=otherwise, place=self._place(meta))
