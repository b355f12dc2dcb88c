"""`/api/tags`: every tag with what there is to say of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from litestar import get, post
from litestar.params import FromPath

from spira.engage.uses import uses
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.segment import tag_facts, tag_points, tag_uses
from spira.segment.audiences import who_of
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.language import Analysis
from spira.segment.distribution import Distribution, distribution
from spira.segment.lineage import Lineage, Thing, lineage, reading, texts_understood
from spira.segment.tag_facts import Cost, Coverage, Cut, Freshness, Kind, TagCard
from spira.segment.tag_points import TagPoint
from spira.segment.tag_uses import Use
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.roles import DEFINE
from spira.server.wire import plain
from spira.unify import people
from spira.unify.portrait import PersonRow

DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class TagList:
    """Every applied tag, and how fresh they are."""

    tags: tuple[TagCard, ...] = field(metadata={"help": "the tags, in the order they were written"})
    freshness: Freshness = field(metadata={"help": "how far the tags have come"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """One person with a value."""

    person: PersonRow = field(metadata={"help": "who, masked"})
    value: object = field(metadata={"help": "the tag's value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TagView:
    """Everything there is to say of one tag."""

    card: TagCard = field(metadata={"help": "what the list says of it"})
    privacy: str = field(metadata={"help": "how carefully it is shown"})
    freshness: Freshness = field(metadata={"help": "how far the tags have come"})
    distribution: Distribution = field(metadata={"help": "how its values are spread over the viewer's people"})
    cuts: tuple[Cut, ...] = field(metadata={"help": "where the classes of a rank begin and end"})
    ranked: Type | None = field(metadata={"help": "the type of what a rank goes by; null for what is no rank"})
    history: tuple[TagPoint, ...] = field(metadata={"help": "coverage by day, of the whole brand"})
    lineage: Lineage = field(metadata={"help": "what it reads, and what reads it"})
    people: tuple[Someone, ...] = field(metadata={"help": "some people with a value; none for who sees figures only"})
    sql: str = field(metadata={"help": "the statement it compiles to"})


def understood(core: AnyCore) -> tuple[Mapping[str, Analysis], dict[Thing, set[Thing]]]:
    """Every applied tag understood, and who reads whom."""
    tags = {each.tag: each.value for each in core.applied.of("tag")}
    of_tags, of_audiences = texts_understood(tags, who_of(core.applied), core.catalog)
    return of_tags, reading(of_tags, of_audiences, uses(core.applied, core.catalog))


@kept_view
def listed(core: AnyCore, viewer: Viewer) -> TagList:
    """Every applied tag in one line each."""
    lane = core.lane()
    analyses, reads = understood(core)
    held = tag_facts.coverages(lane, viewer, analyses)
    tags = core.applied.of("tag")
    standing = _standing(core, reads, {each.refresh for each in tags})
    return TagList(
        tags=tuple(_card(each, analyses[each.tag], held[each.tag], standing) for each in tags),
        freshness=tag_facts.freshness(lane),
    )


@kept_view
def view(core: AnyCore, viewer: Viewer, name: str) -> TagView:
    """One tag; NotFound when it is not applied."""
    model = core.applied.get("tag", name).model
    lane, now = core.lane(), as_of(core)
    analyses, reads = understood(core)
    analysis = analyses[name]
    computed = name in lane.columns("tags")
    held = tag_facts.coverages(lane, viewer, [name])[name]
    return TagView(
        card=_card(model, analysis, held, _standing(core, reads, {model.refresh})),
        privacy=model.privacy,
        freshness=tag_facts.freshness(lane),
        distribution=distribution(lane, core.catalog, viewer, name, with_value=held.with_value or 0, as_of=now),
        cuts=tag_facts.cuts(lane, viewer, name),
        ranked=tag_facts.ranked_type(analysis),
        history=_history(core, viewer, name),
        lineage=lineage(name, reads, analysis.reads.properties),
        people=_people(core, viewer, name) if computed and viewer.sees_people else (),
        sql="" if analysis.faults else tag_facts.statement(name, analysis, core.catalog),
    )


def cost(core: AnyCore, name: str) -> Cost:
    """Measure what one tag costs; nothing is written."""
    core.applied.get("tag", name)
    analyses, _ = understood(core)
    return tag_facts.measure(core.lane(), core.catalog, name, analyses[name], as_of=as_of(core))


@get("/api/tags", sync_to_thread=True)
def list_tags(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every applied tag: its definition, type, coverage among the viewer's people, and how many things use it."""
    told: dict[str, Any] = plain(listed(core, viewer))
    return told


@get("/api/tags/{name:str}", sync_to_thread=True)
def show_tag(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """One tag: distribution, coverage by day, lineage both ways, cut points, some people, and its SQL."""
    told: dict[str, Any] = plain(view(core, viewer, name))
    return told


@post("/api/tags/{name:str}/cost", opt={"roles": DEFINE}, status_code=200, sync_to_thread=True)
def measure_tag(core: Core, name: FromPath[str]) -> dict[str, Any]:
    """Work one tag out for everyone, write nothing, and say how long it took; stopped after ten seconds."""
    told: dict[str, Any] = plain(cost(core, name))
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What cards say of tags beside their definitions, read once for all of them."""

    reads: Mapping[Thing, set[Thing]]
    uses: Mapping[str, Use]
    computed: Collection[str]
    refreshed: Mapping[str, datetime | None]  # by rhythm
    now: datetime


def _standing(core: AnyCore, reads: Mapping[Thing, set[Thing]], rhythms: Iterable[str]) -> _Standing:
    lane = core.lane()
    return _Standing(
        reads=reads,
        uses=tag_uses.uses(core.state),
        computed=lane.columns("tags"),
        refreshed={each: tag_facts.refreshed(lane, each) for each in rhythms},
        now=as_of(core),
    )


def _card(model: Any, analysis: Analysis, held: Coverage, standing: _Standing) -> TagCard:
    kind: Kind = tag_facts.kind_of(analysis)
    used_by = sum(("tag", model.tag) in things for things in standing.reads.values())
    use, computed = standing.uses.get(model.tag), model.tag in standing.computed
    return TagCard(
        tag=model.tag,
        label=model.label,
        value=str(model.value),
        description=model.description,
        values=model.values,
        owner=model.owner,
        type=analysis.type or "null",
        kind=kind,
        status=model.status,
        computed=computed,
        refresh=model.refresh,
        refreshed=standing.refreshed[model.refresh] if computed else None,
        coverage=held,
        used_by=used_by,
        used_at=use.used_at if use else None,
        quiet=use is not None and not used_by and model.status == "applied" and use.is_quiet(standing.now),
    )


def _history(core: AnyCore, viewer: Viewer, name: str) -> tuple[TagPoint, ...]:
    """The whole brand's coverage by day; days that speak of a few people are not for who sees figures only."""
    if viewer.units is not None:
        return ()
    since = local(as_of(core), core.settings.workspace.zone).date() - timedelta(days=DAYS - 1)
    found = tag_points.points(core.lane(), name, since=since)
    return found if viewer.sees_people else tuple(each for each in found if not each.is_about_few)


def _people(core: AnyCore, viewer: Viewer, name: str) -> tuple[Someone, ...]:
    lane = core.lane()
    chosen = tag_facts.some_people(lane, viewer, name)
    values = tag_facts.values_of(lane, name, chosen)
    shown = people.rows(lane, core.vault, viewer, chosen)
    return tuple(Someone(person=each, value=values.get(who)) for who, each in zip(chosen, shown, strict=False))


ROUTES = [list_tags, show_tag, measure_tag]
