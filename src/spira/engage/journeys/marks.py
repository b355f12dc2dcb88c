"""Marks: what is wrong with a step of a journey, or looks so, as a page shows it beside the step.

A mark is about one step, or about the journey as a whole (an empty position). `bad` stops people or
messages; `advice` only asks to look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from spira.definitions.apply import Applied
from spira.engage.journeys.model import JourneyDefinition
from spira.engage.journeys.tree import JourneyTree, TreeStep, every
from spira.engage.messages import TemplateDefinition, missing_languages
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.language import analyse

Weight = Literal["bad", "advice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One problem. `name` is the key of its words; `about` is what it speaks of."""

    position: str = field(metadata={"help": "the step, or empty for the journey"})
    name: str = field(metadata={"help": "which problem"})
    about: str = field(metadata={"help": "what it speaks of: a template, a channel, a fault's own words"})
    weight: Weight = field(metadata={"help": "bad, or advice only"})


def marks(model: JourneyDefinition, tree: JourneyTree, applied: Applied, catalog: Catalog) -> tuple[Mark, ...]:
    """Everything there is to say of a version."""
    return tuple(_all(model, tree, applied, catalog))


def _all(model: JourneyDefinition, tree: JourneyTree, applied: Applied, catalog: Catalog) -> Iterator[Mark]:
    if model.exit is not None:
        yield from _condition("", model.exit, catalog)
    for event in (model.enter.event, model.goal.did if model.goal else None):
        if event is not None and event not in catalog.events:
            yield Mark(position="", name="unknown_event", about=event, weight="bad")
    if model.enter.audience is not None and applied.find("audience", model.enter.audience) is None:
        yield Mark(position="", name="no_audience", about=model.enter.audience, weight="bad")
    for step in every(tree.steps):
        if step.kind == "send":
            yield from _send(step, applied)
        if step.event is not None and step.event not in catalog.events:
            yield Mark(position=step.position, name="unknown_event", about=step.event, weight="bad")
        for way in step.ways:
            if way.condition is not None:
                yield from _condition(step.position, way.condition, catalog)
        if tree.entered and not step.reached:
            yield Mark(position=step.position, name="nobody_came", about="", weight="advice")


def _condition(position: str, text: str, catalog: Catalog) -> Iterator[Mark]:
    faults = analyse(text, catalog, expect="boolean").faults
    if faults:
        yield Mark(position=position, name="not_understood", about=faults[0].message, weight="bad")


def _send(step: TreeStep, applied: Applied) -> Iterator[Mark]:
    channel, template = step.channel or "", step.template or ""
    if applied.find("channel", channel) is None:
        yield Mark(position=step.position, name="no_channel", about=channel, weight="bad")
    found = applied.find("template", template)
    if found is None:
        yield Mark(position=step.position, name="no_template", about=template, weight="bad")
        return
    model: TemplateDefinition = found.model
    if model.channel != channel:
        yield Mark(position=step.position, name="other_channel", about=template, weight="bad")
    for language in missing_languages(model):
        yield Mark(position=step.position, name="missing_language", about=language, weight="advice")
