"""Undeclared traits: what identify calls tell of people and no tracking plan declares, proposed as a part of one.

Reads   `trait_facts`

A trait is kept as text, so what it was sent as is read off how all its values look: a number that is
quoted by its sender looks like one that is not, and the text says so. Of values only those are shown
that at least three people share. What by its name reaches or names somebody is proposed to be sealed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spira.collect.identifiers import IDENTIFYING_TRAITS
from spira.collect.personal import names_contact
from spira.collect.tracking import SQL_TYPES, Plan
from spira.definitions.model import NAME
from spira.storage.warehouse import Warehouse

MOST = 100  # traits that are proposed at one time
SHARED = 3  # people who must have a value for it to be shown
SAMPLES = 3
_SAMPLE = 60  # characters
_NUMBERS = frozenset({"integer", "number"})
_LOOKS = frozenset({*_NUMBERS, "boolean"})  # what a quoted value looks like as well


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedTrait:
    """One undeclared trait."""

    name: str = field(metadata={"help": "its name"})
    type: str | None = field(metadata={"help": "the type it is proposed as; none when it is not proposed"})
    sealed: bool = field(metadata={"help": "whether it is proposed as contact, so that every value is sealed"})
    why_not: str | None = field(metadata={"help": "mixed, list, object, nothing or name; none when it is proposed"})
    seen: int = field(metadata={"help": "how often it was told in these days"})
    types: dict[str, int] = field(metadata={"help": "what its values look like, and how often"})
    sources: tuple[str, ...] = field(metadata={"help": "who told it"})
    samples: tuple[str, ...] = field(metadata={"help": "its most frequent values, of those that several people have"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitProposal:
    """All undeclared traits."""

    traits: tuple[ProposedTrait, ...] = field(metadata={"help": "the traits, most frequent first"})
    definition: str = field(metadata={"help": "a name for the part of the plan that would declare them"})
    text: str = field(metadata={"help": "that part, as YAML; empty when none can be declared"})


def propose_traits(warehouse: Warehouse, plan: Plan, *, as_of: datetime, days: int) -> TraitProposal:
    """What was told in the last `days` and no plan declares."""
    known = sorted({*plan.traits, *plan.contact, *IDENTIFYING_TRAITS})
    bound: dict[str, Any] = {"known": known, "since": as_of - timedelta(days=days), "most": MOST}
    told: dict[str, dict[str, int]] = {}
    sources: dict[str, set[str]] = {}
    for name, source, kind, seen in warehouse.query(_TOLD, bound):
        of = told.setdefault(name, {})
        of[kind] = of.get(kind, 0) + seen
        sources.setdefault(name, set()).add(source)
    names = sorted(told, key=lambda name: (-sum(told[name].values()), name))
    open_names = [name for name in names if not names_contact(name)]
    shared = {"names": open_names, "since": bound["since"], "people": SHARED, "each": SAMPLES, "longest": _SAMPLE}
    samples: dict[str, list[str]] = {}
    for name, value in warehouse.query(_SHARED, shared) if open_names else ():
        samples.setdefault(name, []).append(value)
    found = tuple(_trait(name, told[name], sources[name], samples.get(name, [])) for name in names)
    definition = f"traits_{as_of:%Y%m%d}"
    lines = trait_lines(found)
    return TraitProposal(traits=found, definition=definition, text=_document(definition, lines) if lines else "")


def trait_lines(traits: tuple[ProposedTrait, ...]) -> list[str]:
    """The traits as lines of YAML; what is not proposed is a comment. None when nothing is."""
    return [_line(each) for each in traits] if any(each.type for each in traits) else []


def _trait(name: str, types: dict[str, int], sources: set[str], samples: list[str]) -> ProposedTrait:
    proposed, why_not = _type_of(name, types)
    return ProposedTrait(
        name=name,
        type=proposed,
        sealed=proposed is not None and names_contact(name),
        why_not=why_not,
        seen=sum(types.values()),
        types=dict(sorted(types.items(), key=lambda pair: (-pair[1], pair[0]))),
        sources=tuple(sorted(sources)),
        samples=tuple(samples),
    )


def _type_of(name: str, types: dict[str, int]) -> tuple[str | None, str | None]:
    """What a trait is proposed as, by how its values look; or why it is not."""
    kinds = {kind for kind in types if kind != "null"}
    if not re.fullmatch(NAME, name):
        return None, "name"
    if not kinds:
        return None, "nothing"
    if names_contact(name):
        return "text", None
    if kinds <= _NUMBERS:
        return "number" if "number" in kinds else "integer", None
    if kinds & {"array", "object"}:
        whole = {"array": "list", "object": "object"}.get(next(iter(kinds)), "mixed")
        return None, whole if len(kinds) == 1 else "mixed"
    if len(kinds) == 1 and (kind := next(iter(kinds))) in SQL_TYPES:
        return kind, None
    return ("text", None) if "text" in kinds else (None, "mixed")


def _line(each: ProposedTrait) -> str:
    seen = shares(each.types)
    if each.type is None:
        shown = json.dumps(each.name[:80], ensure_ascii=False)
        return f"  # {shown} is kept as text: {_SPOKEN[each.why_not or 'mixed']} ({seen})"
    said = f"seen {each.seen} times, {seen}"
    if each.sealed:
        return f"  {each.name}: {{type: text, privacy: contact}}  # {said}; by its name it reaches or names somebody"
    quoted = "; write text if it is sent in quotation marks" if each.type in _LOOKS else ""
    return f"  {each.name}: {each.type}  # {said}{quoted}"


def shares(types: dict[str, int]) -> str:
    """How often each type was seen, most frequent first: "always number", or "number 98 %, text 2 %"."""
    total = sum(types.values())
    if len(types) == 1:
        return f"always {next(iter(types))}"
    return ", ".join(f"{kind} {_percent(count / total)}" for kind, count in types.items())


def _percent(share: float) -> str:
    """Rounded, but that what is rare is never said to be nothing, nor the rest to be all."""
    if share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if share > 0.99 else f"{share:.0%}".replace("%", " %")


_SPOKEN = {
    "mixed": "its values look like several types",
    "list": "its values are lists",
    "object": "its values are objects",
    "nothing": "it was never anything but null",
    "name": "its name can't be a column's",
}


def _document(name: str, lines: list[str]) -> str:
    return "\n".join([f"tracking: {name}", "traits:", *lines]) + "\n"


_LOOK = r"""
case when value is null then 'null'
     when value in ('true', 'false') then 'boolean'
     when regexp_full_match(value, '-?(0|[1-9]\d{0,17})') then 'integer'
     when regexp_full_match(value, '-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?') and try_cast(value as double) is not null
     then 'number'
     when regexp_full_match(value, '\d{4}-\d{2}-\d{2}') and try_cast(value as date) is not null then 'date'
     when regexp_full_match(value, '\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*') and try_cast(value as timestamptz) is not null
     then 'time'
     when value[1] = '{' and json_valid(value) then 'object'
     when value[1] = '[' and json_valid(value) then 'array'
     else 'text' end
"""
_TOLD = f"""
with told as (
    select name, source, value from trait_facts
    where ts > $since and vault_key is null and name not in (select unnest($known::varchar[]))
), most as (
    select name from told group by name order by count(*) desc, name limit $most
)
select name, source, {_LOOK} as kind, count(*) from told where name in (select name from most)
group by all
"""
_SHARED = """
select name, value from (
    select name, value, count(distinct subject_id) as people from trait_facts
    where ts > $since and name in (select unnest($names::varchar[])) and value is not null
      and length(value) <= $longest
    group by name, value
) where people >= $people
qualify row_number() over (partition by name order by people desc, value) <= $each
order by name, people desc, value
"""
