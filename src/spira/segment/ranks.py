"""What a tag's value is made of, taken out of it: ranks over the population, and what people did.

`case when quintile(revenue) = 5 then …` becomes three columns: an input (`revenue`), a rank
over that input, and the value that reads the rank as if it were a tag. Only the middle one
has to look at every profile; the other two are worked out for the changed ones alone.

`case when orders = 0 then … when days_since('Order Completed') > 180 then …` builds on another tag
and on events: the last order becomes a column that the first scan works out with all others, so that
what builds on tags never reads the events again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from spira.segment.conditions.arguments import number
from spira.segment.conditions.behaviours import is_behaviour
from spira.segment.conditions.functions import POPULATION, SCALARS
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.ranks import QUINTILES
from spira.segment.conditions.tree import Call, Name, Node, children, mapped, walk

_MOST_PARTS = 20  # more places than these are not looked for one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One rank: `column` = `function` over the column `input`, which holds `value`; all texts of the language.

    `parts` is in how many equal parts everyone is divided; None where the rank is something else.
    """

    column: str
    text: str
    input: str
    value: str
    parts: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A value as text over columns of what people did, and what each of these columns holds."""

    text: str
    columns: Mapping[str, str]


def apart(tree: Node) -> Apart:
    """Take what people did out of a value."""
    found = {id(call): _deed(call) for call in _deeds(tree)}
    others = {key: instead for key, (instead, _, _) in found.items()}
    columns = {column: value for _, column, value in found.values()}
    return Apart(text=canonical(_replaced(tree, others)), columns=columns)


def _deeds(tree: Node) -> Iterator[Call]:
    """Behaviours that mean the same by themselves as where they stand; other functions may say when to ask."""
    if isinstance(tree, Call) and tree.function not in SCALARS:
        if is_behaviour(tree):
            yield tree
        elif tree.function == "days_since":
            yield from _deeds(tree.positional()[0])
        return
    for each in children(tree):
        yield from _deeds(each)


def _deed(call: Call) -> tuple[Node, str, str]:
    """What to write instead of a behaviour, the column it becomes, and the value of that."""
    if call.function != "days_since":
        value = canonical(call)
        column = f"in_{_short(value)}"
        return Name(parts=(column,)), column, value
    last = replace(call, function="max_of", arguments=(Name(parts=("ts",)), *call.arguments))
    value = canonical(last)
    column = f"in_{_short(value)}"
    return replace(call, arguments=(Name(parts=(column,)),)), column, value


def _calls(tree: Node) -> Iterator[Call]:
    return (node for node in walk(tree) if isinstance(node, Call) and node.function in POPULATION)


def _rank(call: Call) -> Rank:
    value = call.positional()[0]
    input = f"in_{_short(canonical(value))}"
    ranked = _replaced(call, {id(value): Name(parts=(input,))})
    return Rank(
        column=f"rank_{_short(canonical(call))}",
        text=canonical(ranked),
        input=input,
        value=canonical(value),
        parts=_parts(call),
    )


def _parts(call: Call) -> int | None:
    if call.function == "quintile":
        return QUINTILES
    parts = number(call.named()["n"]) if call.function == "ntile" else None
    return parts if parts is not None and parts <= _MOST_PARTS else None


def _replaced(node: Node, others: Mapping[int, Node]) -> Node:
    """The tree with some of its nodes, known by identity, exchanged."""
    if id(node) in others:
        return others[id(node)]
    return mapped(node, lambda each: _replaced(each, others))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
