"""The kind `journey`: its references, and what a model by itself can't see is wrong with it.

The model is in `model.py`. Here its conditions are read against the catalogue, its events
against the tracking plan, and its templates against the channels they are sent by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spira.definitions.kinds import Definition, Kind, Reference, World, kind
from spira.definitions.source import Key
from spira.engage.journeys.model import JourneyDefinition, Path, walk
from spira.engage.journeys.report import walking
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.segment.catalog import understood_world
from spira.segment.conditions.catalog import EVERY_EVENT, Catalog
from spira.segment.conditions.language import analyse


def references(model: JourneyDefinition) -> Iterator[Reference]:
    """The audience, channels and templates that a journey names."""
    if model.enter.audience is not None:
        yield "audience", model.enter.audience
    for _, step in walk(model.steps):
        if step.send is not None:
            yield "channel", step.send.channel
            yield "template", step.send.template


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """Conditions must be conditions, events must be known, and a template must fit its channel."""
    model: JourneyDefinition = definition.model
    catalog = understood_world(world).catalog
    yield from _events(definition, catalog)
    if model.exit is not None:
        yield from _condition(definition, catalog, ("exit",), model.exit)
    for path, step in walk(model.steps):
        for number, arm in enumerate(step.branch or []):
            if arm.when is not None:
                yield from _condition(definition, catalog, (*path, "branch", number, "when"), arm.when)
            elif step.branch and number + 1 < len(step.branch):
                at = definition.node.key_at(*path, "branch", number, "else")
                yield Diagnostic(code="D408", message="nobody gets past `else`", at=at, help="put `else` last")
        if step.send is not None:
            template = world.get("template", step.send.template)
            if template is not None and template.model.channel != step.send.channel:
                yield Diagnostic(
                    code="D409",
                    message=f"`{template.name}` is written for `{template.model.channel}`, not `{step.send.channel}`",
                    at=definition.node.at(*path, "send", "template"),
                )


def _condition(definition: Definition, catalog: Catalog, path: Path, text: str) -> Iterator[Diagnostic]:
    for each in analyse(text, catalog, expect="boolean").faults:
        at = definition.node.inside(path, each.start, each.end)
        yield Diagnostic(code=each.code, message=each.message, at=at, help=each.help)


def _events(definition: Definition, catalog: Catalog) -> Iterator[Diagnostic]:
    model: JourneyDefinition = definition.model
    named: list[tuple[tuple[Key, ...], str]] = []
    if model.enter.event is not None:
        named.append((("enter", "event"), model.enter.event))
    if model.goal is not None:
        named.append((("goal", "did"), model.goal.did))
    for path, step in walk(model.steps):
        if step.until is not None and step.until.event is not None:
            named.append(((*path, "until", "event"), step.until.event))
    for at, event in named:
        if event not in catalog.events:
            help = did_you_mean(event, catalog.events) or "declare it in the tracking plan"
            message = f"`{event}` is not an event of the tracking plan"
            yield Diagnostic(code="D410", message=message, at=definition.node.at(*at), help=help)
    entered_by, key = model.enter.event, model.enter.key
    if key is not None and entered_by is not None and entered_by in catalog.events:
        known = {*catalog.events[entered_by].properties, *EVERY_EVENT}
        if key not in known:
            message = f"`{key}` is not a property of `{entered_by}`"
            at_key = definition.node.at("enter", "key")
            yield Diagnostic(code="D411", message=message, at=at_key, help=did_you_mean(key, known))


JOURNEY = kind(
    Kind(
        name="journey",
        folder="journeys",
        model=JourneyDefinition,
        check=check,
        references=references,
        alive=walking,
        text_fields=frozenset({"label", "description", "campaign"}),
        reserved=frozenset({"new"}),
    )
)
