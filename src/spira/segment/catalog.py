"""The catalogue of a workspace: every name that a condition may use, with its type.

Events and traits come from the tracking plan, scores from the models, tags and audiences
from their own definitions. The same catalogue serves the applied definitions, and those of
a draft that is only being checked or planned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spira.collect.tracking import Plan, TrackingDefinition, plan_of
from spira.definitions.apply import Applied
from spira.definitions.kinds import World
from spira.kernel.settings import Settings
from spira.segment.analysed import Analysed, analyse_all
from spira.segment.audiences import AudienceDefinition
from spira.segment.conditions.catalog import Catalog, EventSchema
from spira.segment.models.base import MODELS
from spira.segment.models.definition import ModelDefinition
from spira.segment.tags import TagDefinition, idle_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The definitions that conditions depend on, wherever they were read from."""

    tracking: tuple[TrackingDefinition, ...]
    models: tuple[ModelDefinition, ...]
    tags: tuple[TagDefinition, ...]
    audiences: tuple[AudienceDefinition, ...]


def catalog_of(applied: Applied, settings: Settings) -> Catalog:
    """What a condition may speak of in a workspace whose definitions are applied."""
    return understood(written_in(applied), zone=settings.workspace.zone).catalog


def written_in(applied: Applied) -> Written:
    """The applied definitions."""
    return Written(
        tracking=tuple(applied.of("tracking")),
        models=tuple(applied.of("model")),
        tags=tuple(applied.of("tag")),
        audiences=tuple(applied.of("audience")),
    )


def understood(written: Written, *, zone: str) -> Analysed:
    """Every tag and audience understood, and the catalogue of all of them."""
    return analyse_all(
        _base(plan_of(written.tracking), written.models, zone),
        {each.tag: each.value for each in written.tags},
        {each.audience: each.who for each in written.audiences},
        idle=idle_of(written.tags),
    )


def understood_world(world: World) -> Analysed:
    """The same for definitions in files, made once for a world; names with faults of their own keep an open type."""
    return world.memo("segment.understood", lambda: _understood_world(world))


def _understood_world(world: World) -> Analysed:
    written = Written(
        tracking=tuple(each.model for each in world.of("tracking")),
        models=tuple(each.model for each in world.of("model")),
        tags=tuple(each.model for each in world.of("tag")),
        audiences=tuple(each.model for each in world.of("audience")),
    )
    base = _base(plan_of(written.tracking), written.models, world.settings.workspace.zone)
    tags = dict.fromkeys(world.names("tag"), "null") | {each.tag: each.value for each in written.tags}
    audiences = dict.fromkeys(world.names("audience"), "null") | {each.audience: each.who for each in written.audiences}
    return analyse_all(base, tags, audiences, idle=idle_of(written.tags))


def _base(plan: Plan, models: Iterable[ModelDefinition], zone: str) -> Catalog:
    return Catalog(
        events={
            name: EventSchema(properties=event.properties, arrays=event.arrays) for name, event in plan.events.items()
        },
        scores={each.model: MODELS.get(each.kind).score_type for each in models if each.kind in MODELS},
        traits={name: kind for name, kind in plan.traits.items() if name not in plan.contact},
        zone=zone,
    )
