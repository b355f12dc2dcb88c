"""Tag past: what a tag was at an earlier instant, worked out again from what had happened by then.

Reads   what tags read; of traits the tellings in `trait_facts`, not the `traits` of today; `retention_runs`
Writes  nothing but temporary tables of its own lane

The statements are those of a refresh, for that instant, over the people who had been seen by then and the traits
that had been told. A model that learns from such values learns nothing that came later. Some things are known as
they are today and no other way: who is whom, consents, what Spira works out of people by itself (OWN_TRAITS). Which
of them a tag has to do with is said with its values, as `Limit`s. A tag set by hand is made of events, and exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sqlglot import exp

from spira.collect.tracking import OWN_TRAITS
from spira.kernel.viewer import Viewer, bound_units, is_of_few
from spira.segment import drafting, passes
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.functions import HOUSEHOLDS
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.tree import Call, walk
from spira.segment.distribution import Distribution, distribution
from spira.segment.limits import limited
from spira.storage import ddl
from spira.storage.warehouse import Warehouse
from spira.unify import retention

Limit = Literal["identity", "definition", "own_traits", "consents", "deleted"]
SECONDS, LONGEST = 20.0, 600.0
MEMBERS, RUNS = 10, 1_000
PEOPLE, TOLD = "profiles_then", "traits_then"


@dataclass(frozen=True, slots=True, kw_only=True)
class Was:
    """One person's value then and now."""

    profile_id: int = field(metadata={"help": "who"})
    then: object = field(metadata={"help": "the value at the instant"})
    now: object = field(metadata={"help": "the value as last refreshed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A tag at an earlier instant, of the viewer's people; for who sees figures only, a count of a few is null."""

    profiles: int | None = field(metadata={"help": "how many people had been seen by then"})
    with_value: int | None = field(metadata={"help": "how many of them had a value"})
    share: float | None = field(metadata={"help": "their share"})
    moved: int | None = field(metadata={"help": "how many of them have another value now"})
    distribution: Distribution = field(metadata={"help": "how the values were spread"})
    people: tuple[Was, ...] = field(metadata={"help": "some of those who have another value now, or had one"})


def needed(name: str, analyses: Mapping[str, Analysis]) -> dict[str, str]:
    """The texts of a tag and of every tag that it builds on."""
    found: dict[str, str] = {}
    ahead = [name]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found[one] = analyses[one].text
            ahead += sorted(analyses[one].reads.tags)
    return found


def limits(
    warehouse: Warehouse, name: str, analyses: Mapping[str, Analysis], as_of: datetime, *, defined_at: datetime | None
) -> tuple[Limit, ...]:
    """What of the tag can't be known for an instant, so that today's stands in for it."""
    every = [analyses[each] for each in needed(name, analyses)]
    calls = {each.function for one in every if one.tree for each in walk(one.tree) if isinstance(each, Call)}
    traits = {trait for one in every for trait in one.reads.traits}
    held: dict[Limit, bool] = {
        "identity": True,
        "definition": defined_at is not None and defined_at > as_of,
        "own_traits": bool(traits & OWN_TRAITS.keys() or calls & HOUSEHOLDS.keys()),
        "consents": "consented" in calls,
        "deleted": any(each.kind == "event" for each in retention.latest(warehouse, limit=RUNS)),
    }
    return tuple(each for each, applies in held.items() if applies)


@contextmanager
def worked_out(
    lane: Warehouse,
    catalog: Catalog,
    name: str,
    analyses: Mapping[str, Analysis],
    as_of: datetime,
    *,
    profile: int | None = None,
    seconds: float = SECONDS,
) -> Iterator[None]:
    """The temporary table `tags_draft` has the tag of everyone, or of one `profile`, at an instant.

    Use a lane of its own. TooSlow after so many `seconds`.
    """
    over = {"profiles": PEOPLE, "traits": TOLD}
    wanted = passes.program(needed(name, analyses), catalog.whole(), over=over)
    everyone = profile is None or any(each.ranks or each.divisions for each in wanted.passes)
    try:
        with limited(lane, seconds, said=f"the past of the tag `{name}` was not worked out"):
            lane.execute(_CHOOSE, {"profile": None if everyone else profile})
            lane.execute(_SEEN_THEN, {"as_of": as_of})
            lane.execute(_TOLD_THEN, {"as_of": as_of, "own": sorted(OWN_TRAITS)})
            drafting.draft(lane, wanted, as_of, full=everyone)
            yield
    finally:
        for table in _DRAFTS:
            lane.execute(_DROP.format(table=ddl.quote(table)))


def differing(
    lane: Warehouse, catalog: Catalog, name: str, analyses: Mapping[str, Analysis], before: Analysis, as_of: datetime
) -> tuple[int, int]:
    """How many people another text of a tag would give another value at an instant, and how many had been seen."""
    other = "was before"  # no tag can be called that
    reads = replace(before.reads, tags=before.reads.tags | {name})  # so that both are worked out beside each other
    asked = {**analyses, other: replace(before, reads=reads)}
    with worked_out(lane, catalog, other, asked, as_of):
        found = lane.one(_DIFFERING.format(before=ddl.quote(other), after=ddl.quote(name))) or (0, 0)
    return int(found[0]), int(found[1])


def then(lane: Warehouse, catalog: Catalog, viewer: Viewer, name: str, as_of: datetime) -> Then:
    """What `worked_out` has found, for the viewer."""
    column = ddl.quote(name)
    now = f"tags.{column}" if name in lane.columns("tags") else "null"
    sql = _COUNTS.format(column=column, now=now)
    profiles, with_value, moved = lane.one(sql, bound_units(viewer)) or (0, 0, 0)
    spread = distribution(lane, catalog.whole(), viewer, name, with_value=with_value, as_of=as_of, table=passes.DRAFT)
    some = lane.rows(_SOME.format(column=column, now=now), {**bound_units(viewer), "most": MEMBERS})
    few = not viewer.sees_people
    hides = few and is_of_few(with_value, profiles)
    return Then(
        profiles=None if few and is_of_few(profiles, profiles) else profiles,
        with_value=None if hides else with_value,
        share=None if hides or not profiles else with_value / profiles,
        moved=None if few and is_of_few(moved, profiles) else moved,
        distribution=spread,
        people=() if few else tuple(Was(**each) for each in some),
    )


def of_person(lane: Warehouse, name: str, profile: int) -> tuple[Was, bool]:
    """One person's values, and whether they had been seen by then."""
    now = f"tags.{ddl.quote(name)}" if name in lane.columns("tags") else "null"
    sql = _OF_PERSON.format(column=ddl.quote(name), now=now)
    seen, then, today = lane.query(sql, {"profile": profile})[0]
    return Was(profile_id=profile, then=then, now=today), seen


def values(lane: Warehouse, name: str, profiles: list[int]) -> dict[int, object]:
    """What `worked_out` has found of some people; those who had not been seen by then are not in it."""
    value = exp.alias_(exp.column(name, quoted=True), "value")
    query = exp.select("profile_id", value).from_(passes.DRAFT).where("list_contains($profiles, profile_id)")
    return dict(lane.query(query.sql(dialect="duckdb"), {"profiles": profiles}))


_DRAFTS = (passes.DRAFT, passes.LAYER, passes.RANKED, passes.RANKED_BY, "changed", PEOPLE, TOLD)
_DROP = "drop table if exists temp.{table}"
_CHOOSE = "create or replace temp table changed as select $profile::bigint as profile_id where $profile is not null"
_SEEN_THEN = "create or replace temp table profiles_then as select * from profiles where first_seen < $as_of"
# The value in force is the one of highest priority, and among those the latest, as stage 3 writes it.
_TOLD_THEN = """
create or replace temp table traits_then as
select profile_id, name, told.value as value
from (
  select coalesce(moved.profile_id, fact.subject_id) as profile_id, fact.name,
         arg_max({'value': fact.value, 'key': fact.vault_key}, (fact.priority, fact.ts, fact.event_id)) as told
  from trait_facts fact left join moved on moved.subject_id = fact.subject_id
  where fact.ts < $as_of and not list_contains($own::varchar[], fact.name)
    and (not exists (from changed)
         or coalesce(moved.profile_id, fact.subject_id) in (select profile_id from changed))
  group by all
)
where told.value is not null
union all
select profile_id, name, value from traits where list_contains($own::varchar[], name)
"""
_DIFFERING = """
select count(*) filter ({before}::varchar is distinct from {after}::varchar), count(*) from tags_draft
"""
_COUNTS = """
select count(*), count(was.{column}), count(*) filter (was.{column}::varchar is distinct from ({now})::varchar)
from tags_draft was join profiles using (profile_id) left join tags using (profile_id)
where $units::bigint[] is null or list_contains($units::bigint[], unit_id)
"""
_SOME = """
select was.profile_id, was.{column} as "then", {now} as "now"
from tags_draft was join profiles using (profile_id) left join tags using (profile_id)
where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
  and (was.{column} is not null or {now} is not null)
order by was.{column}::varchar is distinct from ({now})::varchar desc, last_seen desc, was.profile_id limit $most
"""
_OF_PERSON = """
select was.profile_id is not null, was.{column}, {now}
from (select $profile::bigint as profile_id) one
left join tags_draft was on was.profile_id = one.profile_id left join tags on tags.profile_id = one.profile_id
"""
