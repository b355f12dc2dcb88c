"""Impact: what a draft of the definitions would do to people, before it is applied.

Reads   everything that tags and audiences read, and `tags`, `members` as they stand
Writes  nothing but temporary tables of its own lane

The draft is worked out for everyone at the instant of the last refresh, so that what differs
is the definitions' doing and not time's. A draft that names event properties without a column
yet can't be worked out before it is applied; nothing is said of people then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from spira.definitions.plan import Assess, Change
from spira.definitions.workspace import Workspace
from spira.segment import audiences, passes, tags
from spira.segment.analysed import Analysed
from spira.segment.catalog import understood_world
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.scans import view_of
from spira.storage import ddl, progress
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """People by definition: how many get another value of a tag, enter and leave an audience."""

    tags: Mapping[str, int] = field(default_factory=dict)
    entering: Mapping[str, int] = field(default_factory=dict)
    leaving: Mapping[str, int] = field(default_factory=dict)


def impact(warehouse: Warehouse, workspace: Workspace, as_of: datetime | None = None) -> Impact:
    """Compare what is with what the draft in `workspace` would make of everyone.

    `as_of` is the instant of the last refresh unless another is given. Use a lane that no
    stage is using: the temporary tables are those of a refresh.
    """
    instant = as_of or progress.stood_at(warehouse, tags.STAGE)
    found = understood_world(workspace.world())
    if instant is None or not _computable(warehouse, found):
        return Impact()
    try:
        return _compared(warehouse, found, instant)
    finally:
        for table in _DRAFTS:
            warehouse.execute(_DROP.format(table=ddl.quote(table)))


def _compared(warehouse: Warehouse, found: Analysed, instant: datetime) -> Impact:
    tags.choose(warehouse, instant, full=True)
    compiled = passes.program({name: each.text for name, each in found.tags.items()}, found.catalog)
    tags.draft(warehouse, compiled, instant, full=True)
    conditions = {name: each.text for name, each in found.audiences.items()}
    drafted = audiences.program(conditions, found.catalog, tags=passes.DRAFT)
    audiences.draft(warehouse, drafted, instant, full=True)
    moves = warehouse.query(_MOVES)
    return Impact(
        tags={name: _changed(warehouse, name, drafted=name in found.tags) for name in _names(warehouse, found)},
        entering={audience: entered for audience, entered, _ in moves},
        leaving={audience: left for audience, _, left in moves},
    )


def assessments(warehouse: Warehouse, workspace: Workspace, as_of: datetime | None = None) -> Mapping[str, Assess]:
    """For `definitions.plan.plan`: the people beside each changed tag and audience, worked out when first asked."""
    made: list[Impact] = []

    def known() -> Impact:
        if not made:
            made.append(impact(warehouse, workspace, as_of))
        return made[0]

    def of_tag(change: Change) -> Mapping[str, int]:
        count = known().tags.get(change.name)
        return {} if count is None else {"change": count}

    def of_audience(change: Change) -> Mapping[str, int]:
        found = known()
        if not found.tags and not found.entering and not found.leaving:
            return {}
        return {"enter": found.entering.get(change.name, 0), "leave": found.leaving.get(change.name, 0)}

    return {"tag": of_tag, "audience": of_audience}


def _computable(warehouse: Warehouse, found: Analysed) -> bool:
    """Whether every property that the draft reads has its column."""
    analyses: Iterable[Analysis] = (*found.tags.values(), *found.audiences.values())
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
    return list(dict.fromkeys((*found.tags, *now)))


def _changed(warehouse: Warehouse, name: str, *, drafted: bool) -> int:
    """How many people's value of a tag would be another; none is a value like any."""
    known = name in warehouse.columns("tags")
    sql = (_DIFFERENT if known else _GAINED) if drafted else _LOST
    return int(warehouse.value(sql.format(tag=ddl.quote(name))))


_DRAFTS = ("changed", "tags_draft", "tags_layer", "tags_ranked", "members_draft", "members_layer", "member_edges_draft")
_DROP = "drop table if exists temp.{table}"
_DIFFERENT = """
select count(*) from tags_draft draft full join tags using (profile_id)
where draft.{tag}::varchar is distinct from tags.{tag}::varchar
"""
_GAINED = "select count({tag}) from tags_draft"
_LOST = "select count({tag}) from tags"
_MOVES = """
with entering as (
  select audience, count(*) as people from members_draft anti join members using (audience, profile_id) group by all
),
leaving as (
  select audience, count(*) as people from members anti join members_draft using (audience, profile_id) group by all
)
select audience, coalesce(entering.people, 0), coalesce(leaving.people, 0)
from entering full join leaving using (audience)
"""
