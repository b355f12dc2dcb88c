"""Lineage: what a tag is made of, and what is made of it.

It comes from the language's own analysis of every applied text, so that it can't differ from what
is computed. What other packages make of tags (journeys, templates, destinations) is handed in as `Use`s. It is
closed both ways: when one thing reads another, the other is used by the one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from spira.segment.analysed import analyse_tag
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.language import Analysis, analyse
from spira.segment.rewrite import Held

ThingKind = Literal["event", "trait", "model", "tag", "audience", "journey", "template", "destination"]
Thing = tuple[ThingKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something outside this package that reads tags and audiences."""

    kind: ThingKind
    name: str
    tags: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing in the lineage of a tag."""

    kind: ThingKind = field(metadata={"help": "event, trait, model, tag, audience, journey, template or destination"})
    name: str = field(metadata={"help": "its name"})
    steps: int = field(metadata={"help": "how far from the tag: below zero it is read, above zero it reads"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One thing is read by another."""

    source: tuple[ThingKind, str] = field(metadata={"help": "kind and name of what is read"})
    target: tuple[ThingKind, str] = field(metadata={"help": "kind and name of what reads it"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """A tag between what it is made of and what is made of it."""

    nodes: tuple[Node, ...] = field(metadata={"help": "the tag itself (0 steps) and everything up and down from it"})
    edges: tuple[Edge, ...] = field(metadata={"help": "who reads whom, among the nodes"})
    properties: tuple[str, ...] = field(metadata={"help": "the properties of events that the tag itself reads"})

    def uses(self, *kinds: ThingKind) -> tuple[str, ...]:
        """The names of what reads the tag directly, of some kinds."""
        return tuple(each.name for each in self.nodes if each.steps == 1 and each.kind in kinds)


def texts_understood(
    tags: Mapping[str, str], audiences: Mapping[str, str], catalog: Catalog
) -> tuple[Mapping[str, Analysis], Mapping[str, Analysis]]:
    """Every tag and audience understood over a catalogue that knows them all; made once for the same texts."""
    return _understood(tuple(tags.items()), tuple(audiences.items()), Held(catalog))


@lru_cache(maxsize=8)
def _understood(
    tags: tuple[tuple[str, str], ...], audiences: tuple[tuple[str, str], ...], held: Held
) -> tuple[Mapping[str, Analysis], Mapping[str, Analysis]]:
    whole = held.catalog.whole()
    return (
        {name: analyse_tag(text, whole if name in held.catalog.idle else held.catalog) for name, text in tags},
        {name: analyse(text, held.catalog, expect="boolean") for name, text in audiences},
    )


def reading(
    tags: Mapping[str, Analysis], audiences: Mapping[str, Analysis], uses: Iterable[Use]
) -> dict[Thing, set[Thing]]:
    """What each thing reads."""
    found: dict[Thing, set[Thing]] = {}
    for kind, texts in (("tag", tags), ("audience", audiences)):
        for name, analysis in texts.items():
            found[("tag" if kind == "tag" else "audience", name)] = _read_by(analysis)
    for use in uses:
        read: set[Thing] = {("tag", name) for name in use.tags if name in tags}
        found[use.kind, use.name] = read | {("audience", name) for name in use.audiences if name in audiences}
    return found


def lineage(tag: str, reads: Mapping[Thing, set[Thing]], properties: Iterable[str] = ()) -> Lineage:
    """Everything up and down from one tag, the near things first."""
    used: dict[Thing, set[Thing]] = {}
    for reader, things in reads.items():
        for thing in things:
            used.setdefault(thing, set()).add(reader)
    start: Thing = ("tag", tag)
    steps = {thing: -far for thing, far in _reached(start, reads).items()} | _reached(start, used)
    nodes = [Node(kind=kind, name=name, steps=far) for (kind, name), far in steps.items()]
    edges = [
        Edge(source=thing, target=reader)
        for reader in steps
        for thing in reads.get(reader, ())
        if thing in steps and steps[thing] < steps[reader] and steps[thing] * steps[reader] >= 0
    ]
    return Lineage(
        nodes=tuple(sorted(nodes, key=lambda each: (each.steps, each.kind, each.name))),
        edges=tuple(sorted(edges, key=lambda each: (each.source, each.target))),
        properties=tuple(sorted(properties)),
    )


def _read_by(analysis: Analysis) -> set[Thing]:
    reads = analysis.reads
    found: set[Thing] = {("event", name) for name in reads.events}
    found |= {("tag", name) for name in reads.tags}
    found |= {("trait", name) for name in reads.traits}
    found |= {("model", name) for name in reads.scores}
    return found | {("audience", name) for name in reads.audiences}


def _reached(start: Thing, ways: Mapping[Thing, set[Thing]]) -> dict[Thing, int]:
    """How far each thing lies at most, so that whatever is read stands before what reads it."""
    far = {start: 0}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for there in ways.get(here, ()):
            if far.get(there, 0) < far[here] + 1 <= len(ways) + 1 and there != start:
                far[there] = far[here] + 1
                waiting.append(there)
    return far
