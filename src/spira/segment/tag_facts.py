"""Tag facts: what there is to say of each applied tag: coverage, freshness, kind, cost, its SQL.

Reads   `tags`, `tag_cuts`, `progress`, and for the cost whatever the tag's own value speaks of

Figures are of the people whom the viewer may see. Measuring the cost runs the statement that a
refresh compiles, for everyone, and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlglot import exp

from spira.definitions.model import Label
from spira.kernel.errors import Conflict
from spira.kernel.viewer import Viewer, is_of_few
from spira.segment import tag_rhythm
from spira.segment import tags as tagging
from spira.segment.conditions.catalog import Catalog, Type
from spira.segment.conditions.functions import AGGREGATES, HOUSEHOLDS, POPULATION
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.query import duckdb_sql, profiles_query
from spira.segment.conditions.tree import Call, walk
from spira.segment.limits import limited
from spira.segment.ranks import has_ranks
from spira.segment.tag_rhythm import ALWAYS
from spira.segment.tags import Status
from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify import people

SECONDS = 10.0
MEMBERS = 10
Kind = Literal["rank", "aggregate", "expression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many people have a value of a tag."""

    profiles: int = field(metadata={"help": "how many people the viewer may see"})
    with_value: int | None = field(
        metadata={"help": "how many of them have a value; null before the first computation, or if too few to tell"}
    )
    share: float | None = field(metadata={"help": "their share"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How far the tags have come; all of them are worked out together."""

    as_of: datetime | None = field(metadata={"help": "the instant of the last refresh"})
    next_edge_at: datetime | None = field(metadata={"help": "when some tag next changes by time alone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCard:
    """One tag in the list of all."""

    tag: str = field(metadata={"help": "its name"})
    label: Label | None = field(metadata={"help": "what people call it"})
    value: str = field(metadata={"help": "the expression that gives its value"})
    description: Label | None = field(metadata={"help": "what it says"})
    values: Mapping[str, Label] = field(metadata={"help": "what people call its values"})
    owner: str = field(metadata={"help": "who answers for it"})
    type: Type = field(metadata={"help": "the type of its values"})
    kind: Kind = field(metadata={"help": "rank among everyone, aggregate over events, or expression over other names"})
    status: Status = field(metadata={"help": "draft, applied or retired; only what is applied is worked out"})
    computed: bool = field(metadata={"help": "whether a refresh has worked it out since it was applied"})
    refresh: str = field(metadata={"help": "how often it is worked out: with every change, or by a rhythm"})
    refreshed: datetime | None = field(metadata={"help": "the instant it was last worked out for"})
    coverage: Coverage = field(metadata={"help": "how many people have a value"})
    used_by: int = field(metadata={"help": "how many tags, audiences, journeys, templates and destinations read it"})
    used_at: datetime | None = field(metadata={"help": "when it was last used, to within a day; null for never"})
    quiet: bool = field(metadata={"help": "whether nobody has used it for 90 days: no definition, condition or list"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One class of a rank: where it begins and ends among all people."""

    of_class: int = field(metadata={"help": "the class; the highest value has the highest"})
    low: float | None = field(metadata={"help": "its least value; seconds since 1970 for times"})
    high: float | None = field(metadata={"help": "its greatest value"})
    profiles: int = field(metadata={"help": "how many people are in it"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What working one tag out for everyone costs by itself."""

    ms: float = field(metadata={"help": "milliseconds of the statement"})
    profiles: int = field(metadata={"help": "how many people it was worked out for"})
    with_value: int = field(metadata={"help": "how many of them got a value"})
    events: int = field(metadata={"help": "how many events it had to read"})
    as_of: datetime = field(metadata={"help": "the instant it was worked out for"})


def kind_of(analysis: Analysis) -> Kind:
    """What a tag is made by, from its tree."""
    tree = analysis.tree
    if tree is None:
        return "expression"
    if has_ranks(tree):
        return "rank"
    plain = any(isinstance(each, Call) and each.function in AGGREGATES for each in walk(tree))
    return "aggregate" if plain or analysis.reads.events else "expression"


def ranked_type(analysis: Analysis) -> Type | None:
    """The type of what a rank goes by, when the tag is a rank and nothing else."""
    tree = analysis.tree
    is_rank = isinstance(tree, Call) and tree.function in POPULATION and tree.function not in HOUSEHOLDS
    return tree.positional()[0].type if isinstance(tree, Call) and is_rank else None


def is_of_households(analysis: Analysis) -> bool:
    """Whether a tag is about a household and nothing else, so that all its members have the same value."""
    return isinstance(analysis.tree, Call) and analysis.tree.function in HOUSEHOLDS


def coverages(warehouse: Warehouse, viewer: Viewer, tags: Iterable[str]) -> dict[str, Coverage]:
    """The coverage of each tag, by one scan; one that was never worked out has none."""
    known = warehouse.columns("tags")
    names = [name for name in tags if name in known]
    counted = [exp.Count(this=exp.column(name, "tags", quoted=True)) for name in names]
    query = exp.select(exp.Count(this=exp.Star()), *counted).from_("profiles")
    query = query.join("tags", on="tags.profile_id = profiles.profile_id", join_type="left")
    scope = people.scope(viewer)
    query = query if scope is None else query.where(scope)
    everyone, *held = warehouse.one(query.sql(dialect="duckdb")) or (0,)
    by_name = dict(zip(names, held, strict=True))
    return {name: _coverage(everyone, by_name.get(name), viewer) for name in tags}


def _coverage(everyone: int, held: int | None, viewer: Viewer) -> Coverage:
    if held is None or (not viewer.sees_people and is_of_few(held, everyone)):
        return Coverage(profiles=everyone, with_value=None, share=None)
    return Coverage(profiles=everyone, with_value=held, share=held / everyone if everyone else None)


def freshness(warehouse: Warehouse) -> Freshness:
    """How far the tags have come, and when the next of them changes by time alone."""
    return Freshness(as_of=progress.stood_at(warehouse, tagging.STAGE), next_edge_at=warehouse.value(_NEXT_EDGE))


def refreshed(warehouse: Warehouse, rhythm: str) -> datetime | None:
    """The instant that the tags of a rhythm were last worked out for."""
    return progress.stood_at(warehouse, tagging.STAGE) if rhythm == ALWAYS else tag_rhythm.stood_at(warehouse, rhythm)


def cuts(warehouse: Warehouse, viewer: Viewer, tag: str) -> tuple[Cut, ...]:
    """The published cut points of a rank; none for who sees figures only, since each is somebody's value."""
    if not viewer.sees_people:
        return ()
    found = warehouse.query(_CUTS, {"tag": tag})
    return tuple(Cut(of_class=each, low=low, high=high, profiles=count) for each, low, high, count in found)


def some_people(warehouse: Warehouse, viewer: Viewer, tag: str) -> list[int]:
    """A few of the viewer's people who have a value, lately seen first."""
    people.require(viewer)
    column = exp.column(tag, "tags", quoted=True)
    query = exp.select("tags.profile_id").from_("tags").join("profiles", on="profiles.profile_id = tags.profile_id")
    query = query.where(exp.not_(exp.Is(this=column, expression=exp.Null())))
    scope = people.scope(viewer)
    query = query if scope is None else query.where(scope)
    query = query.order_by("profiles.last_seen desc", "tags.profile_id").limit(MEMBERS)
    return [profile for (profile,) in warehouse.query(query.sql(dialect="duckdb"))]


def values_of(warehouse: Warehouse, tag: str, profiles: list[int]) -> dict[int, object]:
    """The values of a tag of some people."""
    column = exp.alias_(exp.column(tag, quoted=True), "value")
    query = exp.select("profile_id", column).from_("tags").where("list_contains($profiles, profile_id)")
    return dict(warehouse.query(query.sql(dialect="duckdb"), {"profiles": profiles}))


def statement(name: str, analysis: Analysis, catalog: Catalog) -> str:
    """The SQL that one tag compiles to, laid out to be read."""
    return profiles_query({name: analysis}, catalog, restrict=False, edges=True).sql(dialect="duckdb", pretty=True)


def measure(
    warehouse: Warehouse, catalog: Catalog, name: str, analysis: Analysis, *, as_of: datetime, seconds: float = SECONDS
) -> Cost:
    """Work one tag out for everyone, throw the values away, and say how long it took."""
    missing = sorted(analysis.reads.tags.difference(warehouse.columns("tags")))
    if missing:
        raise Conflict(f"the tag `{missing[0]}` has not been worked out yet", help="wait for a refresh, or ask for one")
    each = profiles_query({name: analysis}, catalog, restrict=False, edges=True)
    whole = each.subquery("each", copy=False)
    value, edge = exp.column(name, quoted=True), exp.column("next_edge_at")
    asked = exp.select(exp.Count(this=exp.Star()), exp.Count(this=value), exp.Max(this=edge)).from_(whole)
    with limited(warehouse, seconds, said=f"the tag `{name}` was not done"):
        started = time.perf_counter()
        profiles, with_value, _ = warehouse.one(duckdb_sql(asked), {"as_of": as_of}) or (0, 0, None)
        ms = (time.perf_counter() - started) * 1000
        read = any(table.name.startswith("profile_") for table in each.find_all(exp.Table))
        events = warehouse.value(_EVENTS, {"events": sorted(analysis.reads.events), "as_of": as_of}) if read else 0
    return Cost(ms=round(ms, 2), profiles=profiles, with_value=with_value, events=int(events), as_of=as_of)


_NEXT_EDGE = "select min(next_edge_at) from tags"
_CUTS = "select class, low, high, profiles from tag_cuts where tag = $tag order by class desc"
_EVENTS = """
select count(*) from events
where ts < $as_of and (len($events::varchar[]) = 0 or list_contains($events::varchar[], event))
"""
