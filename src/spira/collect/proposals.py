"""Proposals: what comes in and nobody declared, as parts of a tracking plan that would take it.

Reads   `undeclared`, `events` (samples, without what is personal), and what collect.trait_proposals reads

Each undeclared property is proposed with the type that all its values had; where they had several the
proposal says so and leaves it as JSON, for one name has one type. Lists of objects are proposed as
arrays with their fields. What can't be declared stands in the text as a comment, with the reason.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from spira.collect.backfill import Backfill, pending
from spira.collect.personal import names_contact
from spira.collect.properties import FIELD_MARK
from spira.collect.quarantine import quoted
from spira.collect.shown import without_contacts
from spira.collect.tracking import RESERVED, RESERVED_FIELDS, SQL_TYPES, Plan
from spira.collect.trait_proposals import TraitProposal, propose_traits, shares, trait_lines
from spira.definitions.model import NAME
from spira.storage.warehouse import Warehouse

DAYS = 7
MOST = 60  # events that are proposed at one time
SAMPLES = 3
_LOOKED = 20  # events that samples are taken from
_LATEST = 500_000  # of the newest events, among which they are
_SAMPLE = 60  # characters
_MONEY = re.compile(
    r"(^|_)(price|amount|revenue|total|value|cost|fee|discount|tax|shipping|subtotal|paid|refund|balance)$"
)
_NUMBERS = frozenset({"integer", "number"})
Types = dict[str, dict[str, int]]
Samples = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedProperty:
    """One undeclared property of an event."""

    name: str = field(metadata={"help": "its name; with `[].`, the field of a list's lines"})
    type: str | None = field(metadata={"help": "the type it is proposed as; none when it is not proposed"})
    why_not: str | None = field(
        metadata={"help": "mixed, list, object, nothing, name, taken, elsewhere or personal; none when it is proposed"}
    )
    seen: int = field(metadata={"help": "how often it was seen in these days"})
    types: dict[str, int] = field(metadata={"help": "what its values were, and how often"})
    samples: tuple[str, ...] = field(metadata={"help": "some of its latest values, without what is personal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is undeclared of one event."""

    event: str = field(metadata={"help": "the event"})
    declared: bool = field(metadata={"help": "whether a tracking plan has the event already"})
    seen: int = field(metadata={"help": "in how many calls something undeclared of it was seen, at least"})
    days: int = field(metadata={"help": "on how many of the days"})
    last_day: date | None = field(metadata={"help": "the latest of them; none for what was counted long ago"})
    sources: tuple[str, ...] = field(metadata={"help": "who sent it"})
    properties: tuple[ProposedProperty, ...] = field(
        metadata={"help": "its undeclared properties, most frequent first"}
    )
    definition: str = field(metadata={"help": "a name for the part of the plan that would declare it"})
    text: str = field(metadata={"help": "that part, as YAML; empty when nothing of it can be declared"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """What is proposed to be declared."""

    as_of: datetime = field(metadata={"help": "the instant that this speaks of"})
    days: int = field(metadata={"help": "how many days back was looked"})
    events: int = field(metadata={"help": "how many events the plan in force declares, Spira's own included"})
    properties: int = field(metadata={"help": "how many properties it declares"})
    proposals: tuple[Proposal, ...] = field(metadata={"help": "per event, most frequent first"})
    traits: TraitProposal = field(metadata={"help": "the traits of people that no plan declares"})
    backfills: tuple[Backfill, ...] = field(metadata={"help": "columns that are still taking over kept values"})
    text: str = field(metadata={"help": "all of it as one part of a tracking plan; empty when nothing can be declared"})


def propose(warehouse: Warehouse, plan: Plan, *, as_of: datetime, days: int = DAYS) -> Proposals:
    """What was seen in the last `days` and no plan declares."""
    rows = warehouse.rows(_SEEN, {"since": (as_of - timedelta(days=days)).date()})
    by_event: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if not _is_declared(plan, row["event"], row["property"]):
            by_event[row["event"]].append(row)
    order = sorted(by_event, key=lambda event: (-max(row["seen"] for row in by_event[event]), event))[:MOST]
    samples = _samples(warehouse, order, plan)
    everywhere = _types(row for event in order for row in by_event[event])
    found = tuple(
        _proposal(plan, event, by_event[event], types=everywhere, samples=samples.get(event, {})) for event in order
    )
    parts = [_event_lines(each.event, each.properties) for each in found if each.text]
    traits = propose_traits(warehouse, plan, as_of=as_of, days=days)
    return Proposals(
        as_of=as_of,
        days=days,
        events=len(plan.events),
        properties=len(plan.properties()),
        proposals=found,
        traits=traits,
        backfills=pending(warehouse),
        text=_whole([line for lines in parts for line in lines], trait_lines(traits.traits)),
    )


def type_of(name: str, types: dict[str, int], *, field: bool = False) -> tuple[str | None, str | None]:
    """What a property is proposed as, by the types its values had; or why it is not proposed."""
    kinds = {kind for kind in types if kind != "null"}
    if not re.fullmatch(NAME, name):
        return None, "name"
    if name in (RESERVED_FIELDS if field else RESERVED):
        return None, "taken"
    if not kinds:
        return None, "nothing"
    if kinds <= _NUMBERS:
        return "money" if _MONEY.search(name) else "number" if "number" in kinds else "integer", None
    if kinds == {"date", "time"}:
        return None, "mixed"
    if kinds <= {"text", "date", "time"}:
        return next(iter(kinds)) if len(kinds) == 1 else "text", None
    if len(kinds) > 1:
        return None, "mixed"
    (kind,) = kinds
    if kind in SQL_TYPES:
        return kind, None
    return None, "list" if kind == "array" else "object"


def _is_declared(plan: Plan, event: str, name: str) -> bool:
    known = plan.events.get(event)
    if known is None:
        return False
    array, dot, inner = name.partition(FIELD_MARK)
    return (
        not name
        or name in known.properties
        or name in known.arrays
        or bool(dot and inner in known.arrays.get(array, {}))
    )


def _types(rows: Iterable[dict[str, Any]]) -> Types:
    """How often each property was of each type."""
    found: Types = defaultdict(dict)
    for row in rows:
        if row["property"]:
            of = found[row["property"]]
            of[row["type"]] = of.get(row["type"], 0) + row["seen"]
    return found


def _proposal(plan: Plan, event: str, rows: list[dict[str, Any]], *, types: Types, samples: Samples) -> Proposal:
    """`types` are those of all events, for one name has one type wherever it stands."""
    properties = tuple(
        sorted(
            (_property(name, seen, plan=plan, types=types, samples=samples) for name, seen in _types(rows).items()),
            key=lambda each: (-each.seen, each.name),
        )
    )
    declared = event in plan.events
    name = _definition_name(event)
    worth = not declared or any(each.type for each in properties)
    days = {row["day"] for row in rows if row["day"] is not None}
    return Proposal(
        event=event,
        declared=declared,
        seen=max(
            sum(row["seen"] for row in rows if row["property"] == each) for each in {row["property"] for row in rows}
        ),
        days=len(days),
        last_day=max(days, default=None),
        sources=tuple(sorted({row["source"] for row in rows if row["source"]})),
        properties=properties,
        definition=name,
        text=_document(name, _event_lines(event, properties)) if worth else "",
    )


def _property(name: str, seen: dict[str, int], *, plan: Plan, types: Types, samples: Samples) -> ProposedProperty:
    array, dot, inner = name.partition(FIELD_MARK)
    proposed, why_not = _field(array, inner, plan, types) if dot else _plain(name, plan, types)
    return ProposedProperty(
        name=name,
        type=proposed,
        why_not=why_not,
        seen=sum(seen.values()),
        types=dict(sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))),
        samples=samples.get(name, ()),
    )


def _plain(name: str, plan: Plan, types: Types) -> tuple[str | None, str | None]:
    """What a property is proposed as, a list of lines among them; or why it is not."""
    proposed, why_not = type_of(name, types[name])
    if name in plan.properties():
        return None, "elsewhere"
    if names_contact(name):
        return None, "personal"
    if why_not == "list" and any(each.startswith(f"{name}{FIELD_MARK}") for each in types):
        return "array", None
    return (None, "elsewhere") if proposed and name in plan.arrays() else (proposed, why_not)


def _field(array: str, name: str, plan: Plan, types: Types) -> tuple[str | None, str | None]:
    """The same for a field of the lines of a list, which is proposed only with its list."""
    whole, why_not = _plain(array, plan, types) if array in types else (None, "mixed")
    if whole != "array":
        return None, why_not or "mixed"
    if names_contact(name):
        return None, "personal"
    known = plan.arrays().get(array, {}).get(name)
    if known is None:
        return type_of(name, types[f"{array}{FIELD_MARK}{name}"], field=True)
    fits = types[f"{array}{FIELD_MARK}{name}"].keys() <= {*_SENT_AS[known], "null"}
    return (known, None) if fits else (None, "elsewhere")


_SENT_AS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "date", "time"),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "money": ("integer", "number"),
    "boolean": ("boolean",),
    "time": ("time",),
    "date": ("date",),
}


def _event_lines(event: str, properties: tuple[ProposedProperty, ...]) -> list[str]:
    """The event as lines of YAML; what is not proposed is a comment."""
    lines = [f"  {quoted(event)}:"]
    plain = [each for each in properties if FIELD_MARK not in each.name and each.type != "array"]
    lines.append("    properties:" if any(each.type for each in plain) else "    properties: {}")
    lines += [_line(each, each.name, "      ") for each in plain]
    arrays = [each for each in properties if each.type == "array"]
    if arrays:
        lines.append("    arrays:")
    for array in arrays:
        fields = [each for each in properties if each.name.startswith(f"{array.name}{FIELD_MARK}")]
        good = any(each.type for each in fields)
        lines.append(f"      {array.name}:{'' if good else ' {}'}  # seen {array.seen} times")
        lines += [_line(each, each.name.partition(FIELD_MARK)[2], "        ") for each in fields]
    return lines


def _line(each: ProposedProperty, name: str, indent: str) -> str:
    seen = shares(each.types)
    if each.type is not None:
        return f"{indent}{name}: {each.type}  # seen {each.seen} times, {seen}"
    shown = json.dumps(name[:80], ensure_ascii=False)
    return f"{indent}# {shown} stays JSON: {_SPOKEN[each.why_not or 'mixed']} ({seen})"


_SPOKEN = {
    "mixed": "its values have several types",
    "list": "a list of values that are no objects",
    "object": "an object",
    "nothing": "it was never anything but null",
    "name": "its name can't be a column's",
    "taken": "every event has a column of this name",
    "elsewhere": "another event declares it with another type",
    "personal": "it is a contact value, which is taken out; have the sender leave it out",
}


def _whole(events: list[str], traits: list[str]) -> str:
    """Everything that is proposed as one part of a plan."""
    lines = [*(("events:", *events) if events else ()), *(("traits:", *traits) if traits else ())]
    return "\n".join(["tracking: proposed", *lines]) + "\n" if lines else ""


def _document(name: str, lines: list[str]) -> str:
    return "\n".join([f"tracking: {name}", "events:", *lines]) + "\n"


def _definition_name(event: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", event.lower()).strip("_")[:80]
    if not name or not name[0].isalpha():
        name = f"event_{name}" if name else f"event_{sum(map(ord, event)) % 100_000}"
    return name


def _samples(warehouse: Warehouse, events: list[str], plan: Plan) -> dict[str, dict[str, tuple[str, ...]]]:
    """Some of the latest values of each undeclared property, as they may be looked at."""
    found: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    bound = {"events": events, "after": int(warehouse.value(_NEWEST) or 0) - _LATEST, "each": _LOOKED}
    for event, text in warehouse.query(_PROPERTIES, bound) if events else ():
        for name, value in without_contacts(json.loads(text), plan.contact).items():
            if value is not None and len(found[event][name]) < SAMPLES:
                told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                found[event][name][told if len(told) <= _SAMPLE else told[:_SAMPLE] + "…"] = None
    return {event: {name: tuple(values) for name, values in names.items()} for event, names in found.items()}


_SEEN = """
select event, property, type, source, day, sum(seen)::bigint as seen
from undeclared where day is null or day > $since
group by all
"""
_NEWEST = "select max(event_id) from events"
_PROPERTIES = """
select event, properties from events
where event_id > $after and properties is not null and event in (select unnest($events::varchar[]))
qualify row_number() over (partition by event order by event_id desc) <= $each
order by event_id desc
"""
