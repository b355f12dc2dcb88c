"""Rows: a condition's tree as sentences, each with the few words in it that can be changed.

A row is a view of one node. What has no sentence of its own (arithmetic, `case`, functions of
values) is a row that holds its text, so nothing that can be typed can't be shown. A row's path
says where its node is: `r` is the outermost group, `r.1.0` the first condition of its second
part, `r.1.f0` the first condition about the event that `r.1` counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Choice

from spira.segment.conditions.printer import printed
from spira.segment.conditions.tree import Call, Logic, Name, Node, Not
from spira.segment.sentences import compared, windows

Kind = Choice[
    "group", "fact", "age", "did", "measure", "followed", "funnel", "together", "member", "moved", "consented", "text"
]
ROOT = "r"
LIMITS = ("gap", "total")  # what a funnel's time is limited by
# Measures of events, in the order in which they are offered; those of `WITHOUT_PROPERTY` take none.
MEASURES = (
    "count_of",
    "days_since",
    "active_days",
    "streak",
    "sum_of",
    "avg_of",
    "min_of",
    "max_of",
    "distinct_of",
    "first_of",
    "last_of",
    "most_of",
)
WITHOUT_PROPERTY = ("count_of", "days_since", "active_days", "streak")
OF_EVENTS = ("did", "bought_with", *MEASURES)  # what conditions about the event can follow
ALONE = ("did", "followed", "bought_with", "in_audience", "entered_audience", "left_audience", "consented")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sentence."""

    path: str = field(metadata={"help": "where the condition stands in the whole"})
    kind: Kind = field(metadata={"help": "which sentence it is"})
    negated: bool = field(metadata={"help": "whether the opposite is meant"})
    text: str = field(metadata={"help": "the same as it is written"})
    fields: Mapping[str, str] = field(metadata={"help": "the words that can be changed"})
    filters: tuple[Row, ...] = field(default=(), metadata={"help": "conditions about the event"})
    parts: tuple[Row, ...] = field(default=(), metadata={"help": "the conditions of a group"})
    start: int = field(default=0, metadata={"help": "its first character in the whole text"})
    end: int = field(default=0, metadata={"help": "the character after its last"})

    def at(self, character: int) -> Row:
        """The innermost row in which a character of the text lies; this one when none of its own does."""
        inner = (each for each in (*self.filters, *self.parts) if each.start <= character < max(each.end, 1))
        found = next(inner, None)
        return self if found is None else found.at(character)


def rows_of(tree: Node) -> Row:
    """The outermost group with everything in it; a single condition is a group of one."""
    return _group(as_group(tree), ROOT)


def as_group(tree: Node) -> Node:
    """The tree as a group: itself when it is one (or the opposite of one), else a group around it."""
    inner = tree.operand if isinstance(tree, Not) else tree
    return tree if isinstance(inner, Logic) else Logic(op="and", operands=(tree,))


def row_of(node: Node, path: str) -> Row:
    """The row of one node."""
    inner = node.operand if isinstance(node, Not) else node
    if isinstance(inner, Logic):
        return _group(node, path)
    kind, fields = _sentence(inner)
    if kind == "text":
        return Row(
            path=path,
            kind="text",
            negated=False,
            text=printed(node),
            fields={"text": printed(node)},
            start=node.place.start,
            end=node.place.end,
        )
    filters = tuple(row_of(each, f"{path}.f{place}") for place, each in enumerate(filters_of(node)))
    return Row(
        path=path,
        kind=kind,
        negated=isinstance(node, Not),
        text=printed(node),
        fields=fields,
        filters=filters,
        start=node.place.start,
        end=node.place.end,
    )


def filters_of(node: Node) -> tuple[Node, ...]:
    """The conditions about the event that a node's function has."""
    call = counted(node)
    if call is None or call.function not in OF_EVENTS:
        return ()
    takes = 1 if call.function in ("did", "bought_with", *WITHOUT_PROPERTY) else 2
    return call.positional()[takes:]


def counted(node: Node) -> Call | None:
    """The function in a node that asks about events, membership or consent: the node's own, or the one it compares."""
    inner = node.operand if isinstance(node, Not) else node
    if isinstance(inner, Call) and inner.function in ALONE:
        return inner
    found = compared.compared_of(inner)
    return found.subject if found and isinstance(found.subject, Call) else None


def _group(node: Node, path: str) -> Row:
    inner = node.operand if isinstance(node, Not) else node
    if not isinstance(inner, Logic):
        raise TypeError("not a group")
    negated = isinstance(node, Not)
    parts = tuple(row_of(each, f"{path}.{place}") for place, each in enumerate(inner.operands))
    fields = {"join": ("none" if inner.op == "or" else "not_all") if negated else "any" if inner.op == "or" else "all"}
    return Row(
        path=path,
        kind="group",
        negated=negated,
        text=printed(node),
        fields=fields,
        parts=parts,
        start=node.place.start,
        end=node.place.end,
    )


def _sentence(node: Node) -> tuple[Kind, dict[str, str]]:
    if isinstance(node, Call):
        found = _of_call(node)
        if found is not None:
            return found
    test = compared.compared_of(node)
    if test is None:
        return "text", {}
    if isinstance(test.subject, Name):
        return "fact", {"name": ".".join(test.subject.parts), **test.fields()}
    return _of_measure(test.subject, test)


def _of_call(call: Call) -> tuple[Kind, dict[str, str]] | None:
    texts = [compared.literal_text(each) for each in call.positional()]
    named = call.named()
    match call.function:
        case "in_audience" if len(texts) == 1 and texts[0] is not None and not named:
            return "member", {"audience": texts[0]}
        case "consented" if len(texts) == 2 and None not in texts and not named:
            return "consented", {"purpose": texts[0] or "", "channel": texts[1] or ""}
        case "entered_audience" | "left_audience" if len(texts) == 1 and texts[0] is not None:
            window = windows.fields_of(named)
            return None if window is None else ("moved", {"way": call.function, "audience": texts[0], **window})
        case "bought_with" if texts and texts[0] is not None:
            window = windows.fields_of(named)
            return None if window is None else ("together", {"event": texts[0], **window})
        case "did" if texts and texts[0] is not None:
            return _of_did(texts[0], named)
        case "followed" if len(texts) == 2 and None not in texts:
            return _of_followed(texts[0] or "", texts[1] or "", named)
        case _:
            return None


def _of_did(event: str, named: Mapping[str, Node]) -> tuple[Kind, dict[str, str]] | None:
    window = windows.fields_of(named, extra=("at_least", "at_most"))
    counts = {name: compared.shown(named[name]) if name in named else "" for name in ("at_least", "at_most")}
    if window is None or None in counts.values():
        return None
    return "did", {"event": event, **{name: each or "" for name, each in counts.items()}, **window}


def _of_followed(first: str, then: str, named: Mapping[str, Node]) -> tuple[Kind, dict[str, str]] | None:
    window = windows.fields_of(named, extra=("gap", "without"))
    gap = windows.length(named.get("gap"))
    without = compared.literal_text(named["without"]) if "without" in named else ""
    if window is None or gap is None or without is None:
        return None
    return "followed", {"first": first, "then": then, "gap_n": gap[0], "gap_unit": gap[1], "without": without, **window}


def _of_funnel(call: Call, test: compared.Compared) -> tuple[Kind, dict[str, str]]:
    texts = [compared.literal_text(each) for each in call.positional()]
    named = call.named()
    window = windows.fields_of(named, extra=LIMITS)
    limits = [name for name in LIMITS if name in named]
    length = windows.length(named.get(limits[0])) if limits else ("", "days")
    if window is None or length is None or len(limits) > 1 or len(texts) < 2 or None in texts:
        return "text", {}
    steps = {f"step_{place}": each or "" for place, each in enumerate(texts, 1)}
    limit = {"limit": limits[0] if limits else "any", "limit_n": length[0], "limit_unit": length[1]}
    return "funnel", {**steps, "step_more": "", **limit, **window, **test.fields()}


def _of_measure(call: Call, test: compared.Compared) -> tuple[Kind, dict[str, str]]:
    given = call.positional()
    if call.function == "days_since" and len(given) == 1 and isinstance(given[0], Name) and not call.named():
        return "age", {"name": ".".join(given[0].parts), **test.fields()}
    if call.function == "funnel":
        return _of_funnel(call, test)
    window = windows.fields_of(call.named())
    takes = 0 if call.function in WITHOUT_PROPERTY else 1
    if call.function not in MEASURES or window is None or len(given) <= takes or call.star or call.where is not None:
        return "text", {}
    event = compared.literal_text(given[takes])
    if event is None or (takes and not isinstance(given[0], Name)):
        return "text", {}
    prop = printed(given[0]) if takes else ""
    return "measure", {"function": call.function, "property": prop, "event": event, **window, **test.fields()}
