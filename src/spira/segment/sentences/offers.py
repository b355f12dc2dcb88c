"""What a new condition can be about: every tag, score, trait, event and audience, and a first sentence for each.

An offer's `what` is a short text that a form sends back: `tag:lifecycle`, `did:Order Completed`,
`sum_of:Order Completed:revenue`. `fresh` makes the node of it, complete and valid, so that the count
is never interrupted; what it says is then changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as Choice

from spira.collect.tracking import OWN_EVENTS
from spira.segment.conditions.catalog import NUMERIC, Catalog, Type
from spira.segment.conditions.tree import Call, Compare, Literal, Name, Named, Node
from spira.segment.sentences import compared
from spira.segment.sentences.build import properties

Group = Choice["tag", "score", "trait", "event", "measure", "audience", "other"]
GROUPS: tuple[Group, ...] = ("tag", "event", "measure", "audience", "trait", "score", "other")
SUMMED = ("money", "number", "integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing a condition can be about."""

    what: str = field(metadata={"help": "what a form sends to have it added"})
    group: Group = field(metadata={"help": "tag, score, trait, event, measure, audience or other"})
    name: str = field(metadata={"help": "the name that it has in the definitions"})
    measure: str = field(default="", metadata={"help": "for a measure of an event: the function"})
    property: str = field(default="", metadata={"help": "for a measure of a property: which"})


def offers(catalog: Catalog) -> Iterator[Offer]:
    """Everything that a condition can begin with."""
    facts: tuple[tuple[Group, dict[str, Type]], ...] = (
        ("tag", dict(catalog.tags)),
        ("score", dict(catalog.scores)),
        ("trait", dict(catalog.traits)),
    )
    for group, known in facts:
        yield from (Offer(what=f"{group}:{name}", group=group, name=name) for name in sorted(known))
    for event in sorted(catalog.events):
        yield Offer(what=f"did:{event}", group="event", name=event)
        yield Offer(what=f"count_of:{event}", group="measure", name=event, measure="count_of")
        yield Offer(what=f"days_since:{event}", group="measure", name=event, measure="days_since")
        # Numbers that Spira's own events carry are ids and versions: a sum of them says nothing.
        counted = OWN_EVENTS[event].properties if event in OWN_EVENTS else {}
        for name, kind in properties(event, catalog).items():
            if kind in SUMMED and name not in counted:
                what = f"sum_of:{event}:{name}"
                yield Offer(what=what, group="measure", name=event, measure="sum_of", property=name)
    yield from (Offer(what=f"audience:{name}", group="audience", name=name) for name in sorted(catalog.audiences))
    if len(catalog.events) > 1:
        yield Offer(what="followed", group="other", name="followed")
        yield Offer(what="funnel", group="other", name="funnel")
    if _with_lines(catalog):
        yield Offer(what="together", group="other", name="together")
    if catalog.audiences:
        yield Offer(what="moved", group="other", name="moved")
    yield Offer(what="consented", group="other", name="consented")
    yield Offer(what="text", group="other", name="text")


def fresh(what: str, catalog: Catalog, *, value: str = "") -> Node | None:
    """The first sentence of an offer; `value` is what a text is compared with. None for what is not on offer."""
    kind, _, rest = what.partition(":")
    match kind:
        case "tag" | "score" | "trait":
            known = catalog.roles(rest)
            return _compared(rest, known[kind], value) if kind in known else None
        case "did" if rest in catalog.events:
            return Call(function="did", arguments=(_text(rest), _within("30 days")))
        case "count_of" if rest in catalog.events:
            return _at_least(Call(function=kind, arguments=(_text(rest), _within("90 days"))), 1)
        case "days_since" if rest in catalog.events:
            return Compare(op=">=", left=Call(function=kind, arguments=(_text(rest),)), right=_number(30))
        case "sum_of":
            event, _, name = rest.rpartition(":")
            if properties(event, catalog).get(name) not in SUMMED or event not in catalog.events:
                return None
            summed = Call(function=kind, arguments=(_name(name), _text(event), _within("90 days")))
            return _at_least(summed, 100)
        case "audience" if rest in catalog.audiences:
            return Call(function="in_audience", arguments=(_text(rest),))
        case _:
            return _other(what, catalog)


def filter_of(event: str, name: str, catalog: Catalog, *, value: str = "") -> Node | None:
    """A first condition about a property of an event; None when the event has no such property."""
    kind = properties(event, catalog).get(name)
    if kind in ("time", "date"):
        return compared.built(_name(name), "is not null", "", "", kind)
    return None if kind is None else _compared(name, kind, value)


def _other(what: str, catalog: Catalog) -> Node | None:
    if what == "followed" and len(catalog.events) > 1:
        first, then = sorted(catalog.events)[:2]
        gap = Named(name="gap", value=_text("7 days"))
        return Call(function="followed", arguments=(_text(first), _text(then), gap, _within("30 days")))
    if what == "funnel" and len(catalog.events) > 1:
        steps = tuple(_text(each) for each in sorted(catalog.events)[:3])
        total = Named(name="total", value=_text("7 days"))
        return _at_least(Call(function="funnel", arguments=(*steps, total, _within("30 days"))), 2)
    if what == "together" and (found := _with_lines(catalog)):
        event, field = found
        known = compared.built(_name(field), "is not null", "", "", None)
        return Call(function="bought_with", arguments=(_text(event), known, known, _within("30 days")))
    if what == "moved" and catalog.audiences:
        return Call(function="entered_audience", arguments=(_text(min(catalog.audiences)), _within("7 days")))
    if what == "consented":
        return Call(function="consented", arguments=(_text("marketing"), _text("email")))
    return Literal(kind="boolean", value=True) if what == "text" else None


def _with_lines(catalog: Catalog) -> tuple[str, str] | None:
    """The first event that has lines, with a field of them."""
    for event in sorted(catalog.events):
        for array, fields in sorted(catalog.events[event].arrays.items()):
            if fields:
                return event, f"{array}.{next(iter(fields))}"
    return None


def _compared(name: str, kind: Type, value: str) -> Node:
    subject = _name(name)
    if kind == "boolean":
        return subject
    if kind == "time":
        return Compare(op="<=", left=Call(function="days_since", arguments=(subject,)), right=_number(30))
    if kind == "date":
        return compared.built(subject, "is not null", "", "", kind)
    return compared.built(subject, ">=" if kind in NUMERIC else "=", "1" if kind in NUMERIC else value, "", kind)


def _at_least(subject: Node, number: int) -> Node:
    return Compare(op=">=", left=subject, right=_number(number))


def _within(length: str) -> Named:
    return Named(name="within", value=_text(length))


def _name(name: str) -> Name:
    return Name(parts=tuple(name.split(".")))


def _text(value: str) -> Literal:
    return Literal(kind="text", value=value)


def _number(value: int) -> Literal:
    return Literal(kind="integer", value=value)
