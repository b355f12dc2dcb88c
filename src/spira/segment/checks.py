"""What is wrong with a tag, an audience or a model, each fault at its characters in the file.

The language finds the faults of one expression; this adds what only shows among several:
names that clash, circles, and tags that look at what is worked out after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spira.definitions.kinds import Definition, World
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.segment.analysed import Analysed
from spira.segment.catalog import understood_world
from spira.segment.conditions.catalog import NUMERIC
from spira.segment.conditions.faults import Fault
from spira.segment.conditions.functions import AUDIENCES
from spira.segment.conditions.tree import Call, Literal, Name, Node, walk
from spira.segment.models.base import MODELS
from spira.segment.order import Order, show_cycle
from spira.segment.tag_values import possible, written

NAME_TAKEN = "D330"
CIRCLE = "D331"
TOO_EARLY = "D332"
UNKNOWN_MODEL_KIND = "D333"
UNKNOWN_MODEL_EVENT = "D334"
NO_SUCH_VALUE = "D335"
RESERVED = frozenset({"profile_id", "next_edge_at"})


def check_tag(definition: Definition, world: World) -> Iterator[Diagnostic]:
    """The faults of one tag."""
    found = understood_world(world)
    analysis = found.tags[definition.name]
    yield from _clash(definition, found)
    yield from _located(definition, "value", analysis.faults)
    if analysis.tree is not None:
        yield from _located(definition, "value", _too_early(analysis.tree))
        yield from _circle(definition, "value", found.tag_order, analysis.tree)
        if not analysis.faults:
            yield from _unheard_of(definition, analysis.tree)


def check_audience(definition: Definition, world: World) -> Iterator[Diagnostic]:
    """The faults of one audience."""
    found = understood_world(world)
    analysis = found.audiences[definition.name]
    yield from _located(definition, "who", analysis.faults)
    if analysis.tree is not None:
        yield from _circle(definition, "who", found.audience_order, analysis.tree)


def check_model(definition: Definition, world: World) -> Iterator[Diagnostic]:
    """The faults of one model."""
    found = understood_world(world)
    kind, event = definition.model.kind, definition.model.event
    if definition.name in found.catalog.traits:
        yield _taken(definition, "model", "trait")
    if kind not in MODELS:
        help = did_you_mean(kind, MODELS) or f"there are: {', '.join(MODELS)}"
        message = f"there is no kind of model called `{kind}`"
        yield Diagnostic(code=UNKNOWN_MODEL_KIND, message=message, at=definition.node.at("kind"), help=help)
    if event not in found.catalog.events:
        help = did_you_mean(event, found.catalog.events) or "declare it in the tracking plan"
        message = f"there is no event called `{event}`"
        yield Diagnostic(code=UNKNOWN_MODEL_EVENT, message=message, at=definition.node.at("event"), help=help)

    elif kind in MODELS and MODELS.get(kind).takes_amount:
        yield from _amount(definition, found)


def _amount(definition: Definition, found: Analysed) -> Iterator[Diagnostic]:
    """A kind that sums needs a number of the event."""
    event, amount = definition.model.event, definition.model.amount
    known = {name for name, type in found.catalog.events[event].properties.items() if type in NUMERIC}
    if amount not in known:
        at = definition.node.at("amount") if "amount" in definition.node.children else definition.node.at("kind")
        help = did_you_mean(amount, known) or f"name one in `amount`; there are: {', '.join(sorted(known)) or 'none'}"
        message = f"`{event}` has no number called `{amount}`, and a model of kind `{definition.model.kind}` needs one"
        yield Diagnostic(code=UNKNOWN_MODEL_EVENT, message=message, at=at, help=help)


def _located(definition: Definition, key: str, faults: Iterable[Fault]) -> Iterator[Diagnostic]:
    for each in faults:
        at = definition.node.inside((key,), each.start, each.end)
        yield Diagnostic(code=each.code, message=each.message, at=at, help=each.help)


def _clash(definition: Definition, found: Analysed) -> Iterator[Diagnostic]:
    if definition.name in found.catalog.traits:
        yield _taken(definition, "tag", "trait")
    if definition.name in found.catalog.scores:
        yield _taken(definition, "tag", "model")
    if definition.name in RESERVED:
        yield _taken(definition, "tag", "column of every tag table")


def _taken(definition: Definition, kind: str, other: str) -> Diagnostic:
    return Diagnostic(
        code=NAME_TAKEN,
        message=f"`{definition.name}` is a {other} already, so no {kind} can be called that",
        at=definition.node.at(kind),
        help=f"rename the {kind}: in a condition one name has one meaning",
    )


def _unheard_of(definition: Definition, tree: Node) -> Iterator[Diagnostic]:
    """Labels of values that the expression never gives, where that can be known."""
    can_be = possible(tree)
    if can_be is None or not definition.model.values:
        return
    for key in definition.node.value["values"]:
        value = written(key)
        if value not in can_be:
            yield Diagnostic(
                code=NO_SUCH_VALUE,
                message=f"the tag is never `{value}`",
                at=definition.node.key_at("values", key),
                help=did_you_mean(value, can_be) or f"its values are {', '.join(sorted(can_be))}",
            )


def _too_early(tree: Node) -> Iterator[Fault]:
    for node in walk(tree):
        if isinstance(node, Name) and node.role == "score":
            yield _early(node, f"the score `{node.parts[0]}`")
        if isinstance(node, Call) and node.function in AUDIENCES:
            yield _early(node, "an audience")


def _early(node: Node, what: str) -> Fault:
    return Fault(
        code=TOO_EARLY,
        message=f"a tag can't look at {what}: tags are worked out first",
        start=node.place.start,
        end=node.place.end,
        help="put this part of it into an audience's `who`",
    )


def _circle(definition: Definition, key: str, order: Order, tree: Node) -> Iterator[Diagnostic]:
    """The circle that a definition is on, shown once, at the definition where the path begins."""
    for cycle in order.cycles:
        if cycle[0] == definition.name:
            user = next((node for node in walk(tree) if _names(node, cycle[1])), tree)
            yield Diagnostic(
                code=CIRCLE,
                message=f"{definition.kind} `{definition.name}` builds on itself: {show_cycle(cycle)}",
                at=definition.node.inside((key,), user.place.start, user.place.end),
                help=f"take one of these {definition.kind}s out of the other's expression",
            )


def _names(node: Node, name: str) -> bool:
    if isinstance(node, Name):
        return node.role == "tag" and node.parts == (name,)
    if isinstance(node, Call) and node.function in AUDIENCES:
        return any(isinstance(each, Literal) and each.value == name for each in node.arguments)
    return False
