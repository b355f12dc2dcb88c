"""Editing a condition by sentences: words that were changed, and conditions added, moved and taken out.

Everything goes from text to text, so that the text stays the one thing there is: it is parsed, the
tree is changed by path, and printed again with every part that nobody touched as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.parser import parse
from spira.segment.conditions.printer import printed
from spira.segment.conditions.tree import Between, Call, Compare, In, IsNull, Like, Logic, Name, Named, Node, Not
from spira.segment.sentences.build import joined, node_of
from spira.segment.sentences.rows import ROOT, as_group, counted, filters_of, row_of

LONG = 72
_PLACEHOLDER = "spira_typed_{}"
Change = Callable[[Node], Node | None]


def changed(text: str, words: Mapping[str, str], catalog: Catalog) -> str:
    """The text with the words that were changed; `words` has them by `path:field`. Others stay as they are.

    A row of free text that does not parse is put in as it is, for the reader of the whole to find.
    """
    found = parse(text)
    if not isinstance(found, Node):
        return text
    typed: dict[str, str] = {}
    made = _with_words(as_group(found), ROOT, words, catalog, typed, event=None)
    if made is None or (made == as_group(found) and not typed):
        return text
    told = laid_out(made)
    for placeholder, raw in typed.items():
        told = told.replace(placeholder, f"({raw})")
    return told


def removed(text: str, path: str) -> str:
    """The text without the condition at `path`; empty when nothing is left."""
    return _at(text, path, lambda _: None)


def added(text: str, path: str, fresh: Node) -> str:
    """The text with one condition more at the end of the group at `path`.

    `path+` means: beside the single condition there, as an alternative to it (or, in an `or`, together with it).
    """
    if not text.strip():
        return laid_out(fresh)
    if path.endswith("+"):
        return _at(
            text, path[:-1], lambda node: joined("all" if _inside_any(text, path[:-1]) else "any", [node, fresh])
        )

    def grown(node: Node) -> Node:
        row = row_of(as_group(node), path)
        return joined(row.fields["join"], [*_operands(as_group(node)), fresh])

    return _at(text, path, grown)


def narrowed(text: str, path: str, fresh: Node) -> str:
    """The text with one condition more about the event that is counted at `path`."""
    return _at(text, path, lambda node: _with_filters(node, (*filters_of(node), fresh)))


def placed(text: str, path: str, to: int) -> str:
    """The text with the condition at `path` at another place of its group, counted from 0."""
    above, _, last = path.rpartition(".")
    if not above or not last.isdigit():
        return text

    def reordered(node: Node) -> Node:
        group = as_group(node)
        operands = list(_operands(group))
        if not (int(last) < len(operands) and 0 <= to < len(operands)):
            return node
        operands.insert(to, operands.pop(int(last)))
        return joined(row_of(group, above).fields["join"], operands)

    return _at(text, above, reordered)


def laid_out(tree: Node) -> str:
    """The text of a tree; a long outermost group has a line for each of its conditions."""
    told = printed(tree)
    if not isinstance(tree, Logic) or len(told) <= LONG or "\n" in told:
        return told
    lines = [printed(each) for each in tree.operands]
    lines = [f"({line})" if isinstance(each, Logic) else line for each, line in zip(tree.operands, lines, strict=True)]
    broken = f"\n{tree.op} ".join(lines)
    return broken if parse(broken) == tree else told


def _with_words(
    node: Node, path: str, words: Mapping[str, str], catalog: Catalog, typed: dict[str, str], *, event: str | None
) -> Node | None:
    row = row_of(node, path)
    mine = {name: words.get(f"{path}:{name}", value) for name, value in row.fields.items()}
    if row.kind == "group":
        operands = [
            _with_words(each, f"{path}.{place}", words, catalog, typed, event=None)
            for place, each in enumerate(_operands(node))
        ]
        kept = [each for each in operands if each is not None]
        same = mine == row.fields and kept == list(_operands(node))
        return node if same else joined(mine["join"], kept)
    inner = mine.get("event") or event
    filters = [
        _with_words(each, f"{path}.f{place}", words, catalog, typed, event=inner)
        for place, each in enumerate(filters_of(node))
    ]
    chosen = [each for each in filters if each is not None]
    old_not = "yes" if row.negated else ""
    negation = words.get(f"{path}:not", old_not)
    if mine == row.fields and negation == old_not and chosen == list(filters_of(node)):
        return node
    given = (
        {**mine, "not": negation} if row.kind == "text" or event is None else {**mine, "not": negation, "event": event}
    )
    try:
        return node_of(row, given, chosen, node, catalog=catalog)
    except ValueError:
        placeholder = _PLACEHOLDER.format(len(typed))
        typed[placeholder] = mine["text"]
        return Name(parts=(placeholder,))


def _at(text: str, path: str, change: Change) -> str:
    found = parse(text)
    if not isinstance(found, Node):
        return text
    steps = path.split(".")[1:]
    made = _changed_at(as_group(found), steps, change)
    return "" if made is None else laid_out(made)


def _changed_at(node: Node, steps: Sequence[str], change: Change) -> Node | None:
    if not steps:
        return change(node)
    first, rest = steps[0], steps[1:]
    if first.startswith("f"):
        filters = list(filters_of(node))
        return _with_filters(node, _replaced(filters, int(first[1:]), rest, change))
    operands = list(_operands(node))
    if not operands:
        return node
    kept = _replaced(operands, int(first), rest, change)
    return joined(row_of(node, ROOT).fields["join"], kept) if kept else None


def _replaced(nodes: list[Node], place: int, rest: Sequence[str], change: Change) -> list[Node]:
    if not 0 <= place < len(nodes):
        return nodes
    made = _changed_at(nodes[place], rest, change)
    return [*nodes[:place], *([] if made is None else [made]), *nodes[place + 1 :]]


def _with_filters(node: Node, filters: Sequence[Node]) -> Node:
    call = counted(node)
    if call is None:
        return node
    kept = len(call.positional()) - len(filters_of(node))
    named = [each for each in call.arguments if isinstance(each, Named)]
    fresh = replace(call, arguments=(*call.positional()[:kept], *filters, *named))
    return _with_call(node, fresh)


def _with_call(node: Node, call: Call) -> Node:
    """The node with the function in it replaced."""
    match node:
        case Not():
            return replace(node, operand=_with_call(node.operand, call))
        case Compare():
            return replace(node, left=call)
        case In() | Between() | Like() | IsNull():
            return replace(node, operand=call)
        case _:
            return call


def _operands(node: Node) -> tuple[Node, ...]:
    inner = node.operand if isinstance(node, Not) else node
    return inner.operands if isinstance(inner, Logic) else ()


def _inside_any(text: str, path: str) -> bool:
    """Whether the condition at `path` stands in a group of which any is enough."""
    found = parse(text)
    above = path.split(".")[1:-1]
    node: Node = as_group(found) if isinstance(found, Node) else Logic(op="and", operands=())
    for step in above:
        node = _operands(node)[int(step)]
    return row_of(as_group(node), ROOT).fields["join"] in ("any", "none")
