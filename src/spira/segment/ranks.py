"""Ranks over the population taken out of a tag's value, so that each is worked out once for everyone.

`case when quintile(revenue) = 5 then …` becomes three columns: an input (`revenue`), a rank
over that input, and the value that reads the rank as if it were a tag. Only the middle one
has to look at every profile; the other two are worked out for the changed ones alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from spira.segment.conditions.functions import POPULATION
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.tree import Call, Name, Node, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One rank: `column` = `function` over the column `input`, which holds `value`; all texts of the language."""

    column: str
    text: str
    input: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A tag's value as text over the columns of its ranks; `whole` is the rank that is all there is, or None."""

    text: str
    ranks: tuple[Rank, ...]
    whole: Rank | None


def has_ranks(tree: Node) -> bool:
    """Whether a value looks at the whole population."""
    return next(_calls(tree), None) is not None


def split(tree: Node) -> Split:
    """Take the ranks out of a value."""
    found = {id(call): _rank(call) for call in _calls(tree)}
    rest = _replaced(tree, {key: Name(parts=(rank.column,)) for key, rank in found.items()})
    ranks = {rank.column: rank for rank in found.values()}
    return Split(text=canonical(rest), ranks=tuple(ranks.values()), whole=found.get(id(tree)))


def _calls(tree: Node) -> Iterator[Call]:
    return (node for node in walk(tree) if isinstance(node, Call) and node.function in POPULATION)


def _rank(call: Call) -> Rank:
    value = call.positional()[0]
    input = f"in_{_short(canonical(value))}"
    ranked = _replaced(call, {id(value): Name(parts=(input,))})
    return Rank(column=f"rank_{_short(canonical(call))}", text=canonical(ranked), input=input, value=canonical(value))


def _replaced(node: Node, others: Mapping[int, Node]) -> Node:
    """The tree with some of its nodes, known by identity, exchanged."""
    if id(node) in others:
        return others[id(node)]
    changed = {each.name: _inside(getattr(node, each.name), others) for each in fields(node)}
    return replace(node, **changed)


def _inside(value: Any, others: Mapping[int, Node]) -> Any:
    if isinstance(value, Node):
        return _replaced(value, others)
    if isinstance(value, tuple):
        return tuple(_inside(each, others) for each in value)
    return value


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
