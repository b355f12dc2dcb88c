"""Uses: what an audience is made of, and which other definitions are made with it.

Reads nothing but the definitions in force.

References that a kind declares count, and so does every expression within a definition that asks
`in_audience(…)` or who entered or left one: expressions are read as the language reads them, not searched as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spira.definitions.apply import Applied
from spira.definitions.kinds import KINDS
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.functions import AUDIENCES
from spira.segment.conditions.language import analyse
from spira.unify.portrait import says


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A definition that an audience has to do with."""

    kind: str = says("tag, audience, journey, metric, event, trait or score")
    name: str = says("its name")


def uses_of(applied: Applied, catalog: Catalog) -> dict[str, tuple[Use, ...]]:
    """By audience, the definitions that use it."""
    found: dict[str, list[Use]] = {}
    for each in applied.definitions:
        declared = KINDS.get(each.kind).references(each.model) if each.kind in KINDS else ()
        named = {name for kind, name in declared if kind == "audience"}
        for text in _expressions(each.model.model_dump()):
            named |= analyse(text, catalog).reads.audiences
        for name in named:
            found.setdefault(name, []).append(Use(kind=each.kind, name=each.name))
    return {name: tuple(sorted(uses, key=lambda use: (use.kind, use.name))) for name, uses in found.items()}


def sources_of(text: str, catalog: Catalog) -> tuple[Use, ...]:
    """What a condition reads: events, tags, scores, traits and other audiences."""
    reads = analyse(text, catalog, expect="boolean").reads
    parts = (
        ("event", reads.events),
        ("tag", reads.tags),
        ("score", reads.scores),
        ("trait", reads.traits),
        ("audience", reads.audiences),
    )
    return tuple(Use(kind=kind, name=name) for kind, names in parts for name in sorted(names))


def _expressions(written: Any) -> Iterator[str]:
    """Every text within a definition that may ask for an audience."""
    if isinstance(written, str):
        if any(each in written for each in AUDIENCES):
            yield written
    elif isinstance(written, dict):
        for each in written.values():
            yield from _expressions(each)
    elif isinstance(written, (list, tuple)):
        for each in written:
            yield from _expressions(each)
