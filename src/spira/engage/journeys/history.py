"""History: what each version of a journey said, what changed with it, and how many walk it.

Reads   `journey_versions`, `enrolments`, `profiles`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spira.engage.journeys.facts import Entry, GoalSaid, entry_of
from spira.engage.journeys.model import JourneyDefinition
from spira.engage.journeys.tree import JourneyTree, tree
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse

PARTS = ("enter", "goal", "exit", "holdout", "purpose", "steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSaid:
    """One version: what it says, and how its walks stand."""

    version: int = field(metadata={"help": "its number"})
    since: datetime = field(metadata={"help": "when people began to enter it"})
    newest: bool = field(metadata={"help": "whether people enter it now"})
    entered: int = field(metadata={"help": "walks begun on it"})
    active: int = field(metadata={"help": "walks under way on it"})
    changed: tuple[str, ...] = field(metadata={"help": "what differs from the version before"})
    entry: Entry = field(metadata={"help": "who enters"})
    goal: GoalSaid | None = field(metadata={"help": "what counts as success"})
    exit: str | None = field(metadata={"help": "the condition that makes a person leave"})
    holdout: float = field(metadata={"help": "the share that is not written to"})
    purpose: str = field(metadata={"help": "what its messages are for"})
    tree: JourneyTree = field(metadata={"help": "its steps with their numbers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All versions of a journey."""

    journey: str = field(metadata={"help": "the journey"})
    versions: tuple[VersionSaid, ...] = field(metadata={"help": "its versions, newest first"})


def history(warehouse: Warehouse, viewer: Viewer, name: str) -> History:
    """Every version that there was of a journey, newest first."""
    told: list[VersionSaid] = []
    before: JourneyDefinition | None = None
    found = warehouse.query(_VERSIONS, {**bound_units(viewer), "journey": name})
    for number, since, body, entered, active in found:
        model = JourneyDefinition.model_validate_json(body)
        told.append(
            VersionSaid(
                version=number,
                since=since,
                newest=number == found[-1][0],
                entered=entered,
                active=active,
                changed=_changed(before, model),
                entry=entry_of(model.enter),
                goal=None if model.goal is None else GoalSaid(did=model.goal.did, within=model.goal.within),
                exit=model.exit,
                holdout=model.share_held_out,
                purpose=model.purpose,
                tree=tree(warehouse, viewer, model, number),
            )
        )
        before = model
    return History(journey=name, versions=tuple(reversed(told)))


def _changed(before: JourneyDefinition | None, after: JourneyDefinition) -> tuple[str, ...]:
    if before is None:
        return ()
    return tuple(part for part in PARTS if getattr(before, part) != getattr(after, part))


_VERSIONS = """
with walked as (
  select version, count(*) as entered, count(*) filter (state = 'active') as active
  from enrolments join profiles using (profile_id)
  where journey = $journey and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
  group by version
)
select v.version, v.since, v.body, coalesce(w.entered, 0), coalesce(w.active, 0)
from journey_versions v left join walked w on w.version = v.version
where v.journey = $journey order by v.version
"""
