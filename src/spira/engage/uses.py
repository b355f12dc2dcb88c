"""What journeys, templates and destinations read of people: the tags and audiences that they name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from spira.definitions.apply import Applied
from spira.definitions.kinds import Definition
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.journeys.model import JourneyDefinition, walk
from spira.engage.messages import files
from spira.engage.render import BadTemplate, variables
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.language import analyse
from spira.segment.lineage import Use


def uses(applied: Applied, catalog: Catalog) -> tuple[Use, ...]:
    """Every applied journey, template and destination, with the tags and audiences it reads."""
    journeys = [journey_use(each.model, catalog) for each in applied.definitions_of("journey")]
    templates = [template_use(each, catalog) for each in applied.definitions_of("template")]
    return (*journeys, *templates, *(destination_use(each.model) for each in applied.definitions_of("destination")))


def destination_use(model: DestinationDefinition) -> Use:
    """Whom a destination is given, and which of their tags go with them."""
    tags = frozenset(each.name for each in model.leaving if each.part == "tag")
    return Use(kind="destination", name=model.destination, tags=tags, audiences=frozenset({model.audience}))


def journey_use(model: JourneyDefinition, catalog: Catalog) -> Use:
    """What a journey's way in, its exit and its branches read."""
    tags: set[str] = set()
    audiences = {model.enter.audience} if model.enter.audience else set()
    for text in _conditions(model):
        reads = analyse(text, catalog, expect="boolean").reads
        tags |= reads.tags
        audiences |= reads.audiences
    return Use(kind="journey", name=model.journey, tags=frozenset(tags), audiences=frozenset(audiences))


def template_use(definition: Definition, catalog: Catalog) -> Use:
    """What a template's subject, preview line and bodies ask for, as far as those are tags."""
    model = definition.model
    texts = [definition.companions.get(file, "") for file in files(model)]
    for label in (model.subject, model.preview):
        texts += [label] if isinstance(label, str) else list((label or {}).values())
    named = frozenset[str]().union(*map(_variables, texts))
    return Use(kind="template", name=model.template, tags=named & frozenset(catalog.tags))


def _conditions(model: JourneyDefinition) -> Iterator[str]:
    if model.exit is not None:
        yield model.exit
    for _, step in walk(model.steps):
        yield from (arm.when for arm in step.branch or [] if arm.when is not None)


@lru_cache(maxsize=256)
def _variables(text: str) -> frozenset[str]:
    try:
        return variables(text)
    except BadTemplate:
        return frozenset()
