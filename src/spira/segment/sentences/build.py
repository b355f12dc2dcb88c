"""From words to nodes: a row whose words were changed, and rows that are new.

The types that decide how a typed value is written come from the catalog. What does not fit (a word
where a number is meant) is written as it was typed, so that the checker can point at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spira.segment.conditions.catalog import EVERY_EVENT, Catalog, Type
from spira.segment.conditions.parser import parse
from spira.segment.conditions.tree import Call, Literal, Logic, Name, Named, Node, Not
from spira.segment.sentences import compared, windows
from spira.segment.sentences.rows import LIMITS, WITHOUT_PROPERTY, Row, counted

COUNTED = ("at_least", "at_most")
SUBJECT = ("name", "function", "property")


def node_of(row: Row, fields: Mapping[str, str], filters: Sequence[Node], old: Node, *, catalog: Catalog) -> Node:
    """The node that a row's words make. `old` is the one they were taken from; `fields` has every word of the row.

    A text that does not parse raises ValueError: there is no node for it.
    """
    if row.kind == "text":
        found = parse(fields["text"])
        if not isinstance(found, Node):
            raise ValueError(found.message)
        return found
    made = _plain(row, fields, filters, old, catalog=catalog)
    return Not(operand=made) if fields.get("not") == "yes" else made


def _plain(row: Row, fields: Mapping[str, str], filters: Sequence[Node], old: Node, *, catalog: Catalog) -> Node:
    match row.kind:
        case "fact":
            name = Name(parts=tuple(fields["name"].split(".")))
            return _tested(
                name, row, fields, type_of_fact(row.path, fields["name"], catalog, event=fields.get("event"))
            )
        case "age":
            since = Call(function="days_since", arguments=(Name(parts=tuple(fields["name"].split("."))),))
            return _tested(since, row, fields, "integer")
        case "member":
            return Call(function="in_audience", arguments=(_text(fields["audience"]),))
        case "consented":
            return Call(function="consented", arguments=(_text(fields["purpose"]), _text(fields["channel"])))
        case "did":
            named = _arranged(_named(fields, old, COUNTED), old)
            return Call(function="did", arguments=(_text(fields["event"]), *filters, *named))
        case "moved":
            return Call(
                function=fields["way"], arguments=(_text(fields["audience"]), *_arranged(_named(fields, old), old))
            )
        case "together":
            named = _arranged(_named(fields, old), old)
            return Call(function="bought_with", arguments=(_text(fields["event"]), *filters, *named))
        case "funnel":
            steps = [_text(each) for each in steps_of(fields)]
            named = _arranged((*_limit(fields, old), *_named(fields, old)), old)
            return _tested(Call(function="funnel", arguments=(*steps, *named)), row, fields, "integer")
        case "followed":
            both = (_text(fields["first"]), _text(fields["then"]))
            named = _arranged((*_gap(fields, old), *_named(fields, old)), old)
            return Call(function="followed", arguments=(*both, *named))
        case "measure":
            return _measured(row, fields, filters, old, catalog=catalog)
        case _:
            raise TypeError(f"a {row.kind} has no words of its own")


def _measured(row: Row, fields: Mapping[str, str], filters: Sequence[Node], old: Node, *, catalog: Catalog) -> Node:
    function, event = fields["function"], fields["event"]
    prop: tuple[Node, ...] = ()
    kind: Type | None = "integer"
    if function not in WITHOUT_PROPERTY:
        known = properties(event, catalog)
        chosen = fields["property"] or default_property(function, event, catalog)
        prop = (Name(parts=tuple(chosen.split("."))),)
        kind = result_of(function, known.get(chosen))
    call = Call(function=function, arguments=(*prop, _text(event), *filters, *_arranged(_named(fields, old), old)))
    return _tested(call, row, fields, kind)


def steps_of(fields: Mapping[str, str]) -> list[str]:
    """The events of a funnel in order, one that was added last among them; those that were emptied are left out."""
    named = [name for name in fields if name.startswith("step_") and name != "step_more"]
    found = [fields[name] for name in sorted(named, key=lambda name: int(name.removeprefix("step_")))]
    return [each for each in (*found, fields.get("step_more", "")) if each]


def result_of(function: str, kind: Type | None) -> Type | None:
    """The type of a measure of a property."""
    if function in (*WITHOUT_PROPERTY, "distinct_of"):
        return "integer"
    return "number" if function in ("sum_of", "avg_of") else kind


def properties(event: str, catalog: Catalog) -> dict[str, Type]:
    """Every property that a condition about an event may name, lines' fields with their array before a dot."""
    schema = catalog.events.get(event)
    if schema is None:
        return dict(EVERY_EVENT)
    lines = {f"{array}.{name}": kind for array, inner in schema.arrays.items() for name, kind in inner.items()}
    return {**schema.properties, **lines, **EVERY_EVENT}


def default_property(function: str, event: str, catalog: Catalog) -> str:
    """The first property that a measure can be of."""
    wanted = ("money", "number", "integer") if function in ("sum_of", "avg_of", "min_of", "max_of") else ("text",)
    known = properties(event, catalog)
    return next((name for kind in wanted for name, has in known.items() if has == kind), "ts")


def type_of_fact(path: str, name: str, catalog: Catalog, *, event: str | None = None) -> Type | None:
    """What type a fact's name has: a property of the event inside a behaviour, else a tag, score or trait."""
    if ".f" in path:
        return properties(event or "", catalog).get(name)
    return next(iter(catalog.roles(name).values()), None)


def joined(join: str, operands: Sequence[Node]) -> Node:
    """Conditions put together: `all`, `any`, `none` or `not_all` of them; one alone needs no group."""
    inner = operands[0] if len(operands) == 1 else Logic(op="or" if join in ("any", "none") else "and",
                                                         operands=tuple(operands))  # fmt: skip
    return Not(operand=inner) if join in ("none", "not_all") else inner


def _tested(subject: Node, row: Row, fields: Mapping[str, str], kind: Type | None) -> Node:
    """A subject compared; an operator that does not go with another subject gives way to one that does."""
    op, allowed = fields.get("op", ""), compared.operators(kind)
    same = all(fields.get(each) == row.fields.get(each) for each in SUBJECT)
    if op not in allowed and kind is not None and not (same and op == row.fields.get("op")):
        op = ">=" if ">=" in allowed else allowed[0]
    return compared.built(subject, op, fields.get("value", ""), fields.get("upper", ""), kind)


def _named(fields: Mapping[str, str], old: Node, counts: Sequence[str] = ()) -> Iterator[Named]:
    call = counted(old)
    known = call.named() if call else {}
    yield from windows.arguments(fields, known=known)
    for name in counts:
        typed = fields.get(name, "").strip()
        if typed:
            yield Named(name=name, value=compared.literal(typed, "integer"))


def _arranged(named: Iterable[Named], old: Node) -> list[Named]:
    """Arguments in the order in which the old function had them, new ones last."""
    call = counted(old)
    known = list(call.named()) if call else []
    return sorted(named, key=lambda each: known.index(each.name) if each.name in known else len(known))


def _gap(fields: Mapping[str, str], old: Node) -> Iterator[Named]:
    call = counted(old)
    known = call.named() if call else {}
    if fields.get("gap_n"):
        yield windows.lasting("gap", fields["gap_n"], fields.get("gap_unit", "days"), known)
    if fields.get("without"):
        yield Named(name="without", value=_text(fields["without"]))


def _limit(fields: Mapping[str, str], old: Node) -> Iterator[Named]:
    call = counted(old)
    if fields.get("limit") in LIMITS:
        known = call.named() if call else {}
        yield windows.lasting(fields["limit"], fields["limit_n"] or "7", fields.get("limit_unit", "days"), known)


def _text(value: str) -> Literal:
    return Literal(kind="text", value=value)
