"""What the values of a tag are called, and which values its expression can give at all.

A tag's definition may say `values:`, a label for each value. The value itself stays in conditions, in the API
and in exports; labels are for eyes. Which values there can be shows in some expressions: a `case` of fixed
results, a condition, a quintile.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from spira.definitions.apply import Applied
from spira.definitions.model import Label
from spira.segment.conditions.tree import Call, Case, Literal, Node

_FIFTHS = frozenset("12345")
_TRUTHS = frozenset({"true", "false"})


def written(value: object) -> str:
    """A value as `values:` writes it: `true`, `7`, `0.25` or the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


def labels_of(applied: Applied, tag: str) -> Mapping[str, Label]:
    """What the values of an applied tag are called; empty where nobody said, or where it is no longer applied."""
    found = applied.find("tag", tag)
    return {} if found is None else found.model.values


def possible(tree: Node) -> frozenset[str] | None:
    """Every value that an expression can give, as `values:` writes them; None where that is not to be known."""
    match tree:
        case Literal(kind="null"):
            return frozenset()
        case Literal(value=value):
            return frozenset({written(value)})
        case Case(whens=whens, otherwise=otherwise):
            return _all([*(each.result for each in whens), *([] if otherwise is None else [otherwise])])
        case Call(function="quintile"):
            return _FIFTHS
        case Call(function="coalesce", arguments=arguments):
            return _all([each for each in arguments if isinstance(each, Node)])
        case Node(type="boolean"):
            return _TRUTHS
    return None


def _all(nodes: list[Node]) -> frozenset[str] | None:
    found: set[str] = set()
    for each in nodes:
        values = possible(each)
        if values is None:
            return None
        found |= values
    return frozenset(found)
