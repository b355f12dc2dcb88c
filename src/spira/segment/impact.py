"""Impact: what a draft of the definitions would do to people, before it is applied.

Reads   everything that tags and audiences read, and `tags`, `members` as they stand
Writes  nothing but temporary tables of its own lane

The draft is worked out for everyone at the instant of the last refresh, so that what differs
is the definitions' doing and not time's. A draft that names event properties without a column
yet can't be worked out before it is applied; nothing is said of people then.

How many of them are in the middle of something, journeys know. They lay the temporary table `walking`
(kind, name, profile_id) before the comparison, and it is joined here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from spira.definitions.plan import Assess, Change
from spira.definitions.workspace import Workspace
from spira.segment import audiences, drafting, passes, tags
from spira.segment.analysed import Analysed
from spira.segment.catalog import understood_world
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.scans import view_of
from spira.storage import ddl, progress
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """People by definition: how many get another value of a tag, enter and leave an audience.

    `…_walking` says how many of them are in the middle of a journey to which that matters.
    """

    tags: Mapping[str, int] = field(default_factory=dict)
    entering: Mapping[str, int] = field(default_factory=dict)
    leaving: Mapping[str, int] = field(default_factory=dict)
    tags_walking: Mapping[str, int] = field(default_factory=dict)
    entering_walking: Mapping[str, int] = field(default_factory=dict)
    leaving_walking: Mapping[str, int] = field(default_factory=dict)


Lay = Callable[[Warehouse], None]


def impact(
    warehouse: Warehouse, workspace: Workspace, as_of: datetime | None = None, *, lay: Lay | None = None
) -> Impact:
    """Compare what is with what the draft in `workspace` would make of everyone.

    `as_of` is the instant of the last refresh unless another is given; `lay` fills `walking`. Use a lane that no
    stage is using: the temporary tables are those of a refresh.
    """
    instant = as_of or progress.stood_at(warehouse, tags.STAGE)
    found = understood_world(workspace.world())
    if instant is None or not _computable(warehouse, found):
        return Impact()
    try:
        warehouse.execute(_NOBODY_WALKS)
        if lay is not None:
            lay(warehouse)
        return _compared(warehouse, found, instant)
    finally:
        for table in _DRAFTS:
            warehouse.execute(_DROP.format(table=ddl.quote(table)))


def _compared(warehouse: Warehouse, found: Analysed, instant: datetime) -> Impact:
    compiled = passes.program({name: each.text for name, each in found.active().items()}, found.catalog)
    drafting.draft(warehouse, compiled, instant, full=True)
    conditions = {name: each.text for name, each in found.audiences.items()}
    drafted = audiences.program(conditions, found.catalog, tags=passes.DRAFT)
    audiences.draft(warehouse, drafted, instant, full=True)
    moves = warehouse.query(_MOVES)
    changed = {name: _changed(warehouse, name, drafted=name in found.active()) for name in _names(warehouse, found)}
    return Impact(
        tags={name: count for name, (count, _) in changed.items()},
        entering={audience: entered for audience, entered, *_ in moves},
        leaving={audience: left for audience, _, left, *_ in moves},
        tags_walking={name: walking for name, (_, walking) in changed.items()},
        entering_walking={audience: walking for audience, _, _, walking, _ in moves},
        leaving_walking={audience: walking for audience, _, _, _, walking in moves},
    )


def assessments(
    warehouse: Warehouse, workspace: Workspace, as_of: datetime | None = None, *, lay: Lay | None = None
) -> Mapping[str, Assess]:
    """For `definitions.plan.plan`: the people beside each changed tag and audience, worked out when first asked."""
    made: list[Impact] = []

    def known() -> Impact:
        if not made:
            made.append(impact(warehouse, workspace, as_of, lay=lay))
        return made[0]

    def of_tag(change: Change) -> Mapping[str, int]:
        found = known()
        count = found.tags.get(change.name)
        return {} if count is None else _told(change=(count, found.tags_walking.get(change.name, 0)))

    def of_audience(change: Change) -> Mapping[str, int]:
        found = known()
        if not found.tags and not found.entering and not found.leaving:
            return {}
        return _told(
            enter=(found.entering.get(change.name, 0), found.entering_walking.get(change.name, 0)),
            leave=(found.leaving.get(change.name, 0), found.leaving_walking.get(change.name, 0)),
        )

    return {"tag": of_tag, "audience": of_audience}


def _told(**counts: tuple[int, int]) -> dict[str, int]:
    """Each count, and beside it those who are mid-journey while there are any."""
    told: dict[str, int] = {}
    for what, (people, walking) in counts.items():
        told[what] = people
        if walking:
            told[f"{what}_mid_journey"] = walking
    return told


def _computable(warehouse: Warehouse, found: Analysed) -> bool:
    """Whether every property that the draft reads has its column."""
    analyses: Iterable[Analysis] = (*found.active().values(), *found.audiences.values())
    if any(each.faults for each in analyses) or found.tag_order.cycles or found.audience_order.cycles:
        return False
    columns: dict[str, Mapping[str, str]] = {}
    for name in {name for each in analyses for name in each.reads.properties}:
        array, _, inner = name.rpartition(".")
        view = view_of(array) if array else "profile_events"
        columns.setdefault(view, warehouse.columns(view))
        if inner not in columns[view]:
            return False
    return True


def _names(warehouse: Warehouse, found: Analysed) -> list[str]:
    now = [name for name in warehouse.columns("tags") if name not in ("profile_id", "next_edge_at")]
    return list(dict.fromkeys((*found.active(), *now)))


def _changed(warehouse: Warehouse, name: str, *, drafted: bool) -> tuple[int, int]:
    """How many people's value of a tag would be another, and how many of them walk; none is a value like any."""
    known = name in warehouse.columns("tags")
    sql = (_DIFFERENT if known else _GAINED) if drafted else _LOST
    people, walking = warehouse.query(sql.format(tag=ddl.quote(name)) + _WALKING, {"name": name})[0]
    return people, walking


_DRAFTS = (
    "tags_draft",
    "tags_layer",
    "tags_ranked",
    "members_draft",
    "members_layer",
    "member_edges_draft",
    "walking",
)
_DROP = "drop table if exists temp.{table}"
_NOBODY_WALKS = "create or replace temp table walking (kind varchar, name varchar, profile_id bigint)"
_DIFFERENT = """
with touched as (
  select profile_id from tags_draft draft full join tags using (profile_id)
  where draft.{tag}::varchar is distinct from tags.{tag}::varchar
)
"""
_GAINED = "with touched as (select profile_id from tags_draft where {tag} is not null)"
_LOST = "with touched as (select profile_id from tags where {tag} is not null)"
_WALKING = """
select count(*), count(walking.profile_id)
from touched left join walking
  on walking.profile_id = touched.profile_id and walking.kind = 'tag' and walking.name = $name
"""
_MOVES = """
with entering as (
  select audience, profile_id from members_draft anti join members using (audience, profile_id)
),
leaving as (
  select audience, profile_id from members anti join members_draft using (audience, profile_id)
),
moving as (
  select audience, profile_id, true as entered from entering
  union all
  select audience, profile_id, false from leaving
)
select audience, count(*) filter (entered), count(*) filter (not entered),
       count(walking.profile_id) filter (entered), count(walking.profile_id) filter (not entered)
from moving left join walking
  on walking.profile_id = moving.profile_id and walking.kind = 'audience' and walking.name = audience
group by audience
"""
