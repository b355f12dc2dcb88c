"""Walkers: the single walks of a journey, newest first, for those who may see people.

Reads   `enrolments`, `enrolment_steps`, `profiles`

People come masked, and only the viewer's own. Where somebody is, is told as the tree tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify.people import require, rows

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkView:
    """One walk."""

    enrolment_id: int = field(metadata={"help": "the walk"})
    profile_id: str = field(metadata={"help": "whose it is"})
    name: str = field(metadata={"help": "their name, masked"})
    number: str | None = field(metadata={"help": "the number that the brand knows them by"})
    version: int = field(metadata={"help": "the version it began on"})
    entered_at: datetime = field(metadata={"help": "when it began"})
    held_out: bool = field(metadata={"help": "whether they are not written to"})
    state: str = field(metadata={"help": "active, finished or left"})
    reason: str | None = field(metadata={"help": "why it ended early"})
    step: str = field(metadata={"help": "where they are, or were last"})
    due_at: datetime | None = field(metadata={"help": "when they go on"})
    goal_at: datetime | None = field(metadata={"help": "when they reached the goal"})
    ended_at: datetime | None = field(metadata={"help": "when it ended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkPage:
    """A page of walks; `next` is where the following one begins."""

    walks: tuple[WalkView, ...] = field(metadata={"help": "the walks, newest first"})
    next: str | None = field(metadata={"help": "continues as `before`"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkFilter:
    """Which walks are asked for; None leaves a question open."""

    step: str | None = None
    state: str | None = None
    version: int | None = None
    before: int | None = None
    limit: int = PAGE


def walks(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, model: JourneyDefinition, *, asked: WalkFilter
) -> WalkPage:
    """A page of the walks through a journey."""
    require(viewer)
    nodes = flow(model)
    bound = {
        **bound_units(viewer),
        "journey": model.journey,
        "positions": [each.position for each in nodes],
        "waits": [each.position for each in nodes if each.kind in ("wait", "time", "arrive")],
        "step": asked.step,
        "state": asked.state,
        "version": asked.version,
        "before": asked.before,
        "limit": asked.limit,
    }
    found = warehouse.rows(_WALKS, bound)
    known = {each.id: each for each in rows(warehouse, vault, viewer, [row["profile_id"] for row in found])}
    told = []
    for row in found:
        shown = show_profile(row.pop("profile_id"))
        person = known.get(shown)
        name, number = (person.name, person.number) if person else (shown, None)
        told.append(WalkView(profile_id=shown, name=name, number=number, **row))
    following = str(told[-1].enrolment_id) if len(told) == asked.limit else None
    return WalkPage(walks=tuple(told), next=following)


_WALKS = """
with took as (
  select e.enrolment_id, arg_max(s.step, list_position($positions::varchar[], s.step)) as step
  from enrolments e join enrolment_steps s on s.enrolment_id = e.enrolment_id
  where e.journey = $journey group by e.enrolment_id
), placed as (
  select e.enrolment_id, e.profile_id, e.version, e.entered_at, e.held_out, e.state, e.reason,
         case when list_contains($waits::varchar[], took.step) then took.step
              else replace(e.step, '.waiting', '') end as step,
         e.due_at, e.goal_at, e.ended_at
  from enrolments e join profiles p on p.profile_id = e.profile_id left join took on took.enrolment_id = e.enrolment_id
  where e.journey = $journey and ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
)
select * from placed
where ($step::varchar is null or step = $step) and ($state::varchar is null or state = $state)
  and ($version::integer is null or version = $version)
  and ($before::bigint is null or (entered_at, enrolment_id) <
       (select (before.entered_at, before.enrolment_id) from enrolments before where before.enrolment_id = $before))
order by entered_at desc, enrolment_id desc limit $limit
"""
