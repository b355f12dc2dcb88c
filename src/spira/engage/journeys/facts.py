"""Facts: every applied journey as staff read it: who enters and when, what for, and how its walks stand.

Reads   `enrolments`, `journey_versions`, `deliveries`, `profiles`, applied journeys

Numbers are of the viewer's people only. A journey that nobody entered is there as well; one that is
no longer applied is there while somebody has walked it, with what it was last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spira.definitions.apply import Applied
from spira.definitions.model import Label
from spira.engage.journeys.model import Enter, JourneyDefinition, walk
from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse

DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who enters: those of an audience, at once or by a schedule, or whoever does an event."""

    audience: str | None = field(metadata={"help": "the audience whose members enter"})
    event: str | None = field(metadata={"help": "the event that makes a person enter"})
    key: str | None = field(metadata={"help": "the property of the event with one walk for each value"})
    schedule: str | None = field(metadata={"help": "when the audience enters, as cron writes it"})
    again: str = field(metadata={"help": "whether a person may enter again: never, always, or after how long"})
    existing: bool = field(metadata={"help": "whether those already in the audience enter at first"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalSaid:
    """What counts as success."""

    did: str = field(metadata={"help": "the event"})
    within: str = field(metadata={"help": "how long after entering it still counts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """How the walks of a journey stand."""

    entered: int = field(default=0, metadata={"help": "walks begun"})
    active: int = field(default=0, metadata={"help": "walks under way"})
    finished: int = field(default=0, metadata={"help": "walked to the end"})
    exited: int = field(default=0, metadata={"help": "led out by a step `exit`"})
    left: int = field(default=0, metadata={"help": "made to leave before the end"})
    left_by: dict[str, int] = field(default_factory=dict, metadata={"help": "why they were made to leave"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInUse:
    """One version that somebody is in the middle of, or the newest one."""

    version: int = field(metadata={"help": "its number"})
    since: datetime = field(metadata={"help": "when people began to enter it"})
    active: int = field(metadata={"help": "walks under way on it"})
    newest: bool = field(metadata={"help": "whether people enter it now"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """What became of messages of the last thirty days."""

    asked: int = field(default=0, metadata={"help": "messages that were asked for"})
    sent: int = field(default=0, metadata={"help": "handed to the channel"})
    opened: int = field(default=0, metadata={"help": "opened at least once"})
    clicked: int = field(default=0, metadata={"help": "clicked at least once"})
    withheld: int = field(default=0, metadata={"help": "kept back by the gate"})
    last_sent: datetime | None = field(default=None, metadata={"help": "when the last one was sent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyFacts:
    """One journey, and how its walks stand."""

    journey: str = field(metadata={"help": "its name"})
    label: Label = field(metadata={"help": "what people read"})
    description: Label | None = field(metadata={"help": "one line more"})
    purpose: str = field(metadata={"help": "what its messages are for"})
    campaign: str | None = field(metadata={"help": "the campaign it belongs to"})
    entry: Entry = field(metadata={"help": "who enters, and when"})
    goal: GoalSaid | None = field(metadata={"help": "what counts as success"})
    exit: str | None = field(metadata={"help": "the condition that makes a person leave"})
    holdout: float = field(metadata={"help": "the share that is not written to"})
    is_broadcast: bool = field(metadata={"help": "whether its only step is one send"})
    applied: bool = field(metadata={"help": "whether it still is in force"})
    templates: tuple[str, ...] = field(metadata={"help": "the templates it sends"})
    walks: Walks = field(metadata={"help": "how its walks stand"})
    versions: tuple[VersionInUse, ...] = field(metadata={"help": "the newest version, and older ones still walked"})
    sends: Sends = field(metadata={"help": "its messages in the last thirty days"})


def journeys(warehouse: Warehouse, applied: Applied, viewer: Viewer, *, as_of: datetime) -> tuple[JourneyFacts, ...]:
    """Every applied journey, then those that were taken away and have been walked."""
    bound = bound_units(viewer)
    walks = {name: _walks(row) for name, *row in warehouse.query(_WALKS, bound)}
    left: dict[str, dict[str, int]] = {}
    for name, reason, count in warehouse.query(_LEFT, bound):
        left.setdefault(name, {})[reason] = count
    sends = {
        name: _sends(row) for name, *row in warehouse.query(_SENDS, {**bound, "start": as_of - timedelta(days=DAYS)})
    }
    versions: dict[str, list[VersionInUse]] = {}
    for name, number, since, active, newest in warehouse.query(_VERSIONS, bound):
        versions.setdefault(name, []).append(VersionInUse(version=number, since=since, active=active, newest=newest))
    told = [(model, True) for model in applied.of("journey")]
    known = {model.journey for model, _ in told}
    gone = [
        JourneyDefinition.model_validate_json(body) for name, body in warehouse.query(_LAST_SAID) if name not in known
    ]
    told += [(model, False) for model in gone if walks.get(model.journey)]
    return tuple(
        facts_of(
            model,
            applied=in_force,
            walks=_with_left(walks.get(model.journey, Walks()), left.get(model.journey, {})),
            versions=tuple(versions.get(model.journey, ())),
            sends=sends.get(model.journey, Sends()),
        )
        for model, in_force in told
    )


def journey(warehouse: Warehouse, applied: Applied, viewer: Viewer, name: str, *, as_of: datetime) -> JourneyFacts:
    """One journey; NotFound for a name that neither is applied nor was walked by anybody of the viewer's."""
    found = next((each for each in journeys(warehouse, applied, viewer, as_of=as_of) if each.journey == name), None)
    if found is None:
        applied.get("journey", name)
        raise NotFound(f"no journey `{name}` is applied")
    return found


def model_of(warehouse: Warehouse, applied: Applied, name: str, version: int) -> JourneyDefinition:
    """What a version of a journey said: as it is applied when it is the newest, else as it was kept."""
    kept = warehouse.one(_SAID, {"journey": name, "version": version})
    definition = applied.find("journey", name)
    if kept is None or (kept[1] and definition is not None):
        if definition is None:
            raise NotFound(f"there is no version {version} of the journey `{name}`")
        model: JourneyDefinition = definition.model
        return model
    return JourneyDefinition.model_validate_json(kept[0])


def facts_of(
    model: JourneyDefinition, *, applied: bool, walks: Walks, versions: tuple[VersionInUse, ...], sends: Sends
) -> JourneyFacts:
    """A definition and its numbers together."""
    return JourneyFacts(
        journey=model.journey,
        label=model.label,
        description=model.description,
        purpose=model.purpose,
        campaign=model.campaign,
        entry=entry_of(model.enter),
        goal=None if model.goal is None else GoalSaid(did=model.goal.did, within=model.goal.within),
        exit=model.exit,
        holdout=model.share_held_out,
        is_broadcast=is_broadcast(model),
        applied=applied,
        templates=tuple(dict.fromkeys(step.send.template for _, step in walk(model.steps) if step.send is not None)),
        walks=walks,
        versions=versions,
        sends=sends,
    )


def entry_of(enter: Enter) -> Entry:
    """Who enters, in parts that pages put into words."""
    return Entry(
        audience=enter.audience,
        event=enter.event,
        key=enter.key,
        schedule=enter.schedule,
        again=enter.again,
        existing=enter.existing,
    )


def is_broadcast(model: JourneyDefinition) -> bool:
    """Whether a journey is a broadcast: its only step is one send."""
    return len(model.steps) == 1 and model.steps[0].kind == "send"


def _walks(row: list[Any]) -> Walks:
    entered, active, finished, exited, left = row
    return Walks(entered=entered, active=active, finished=finished, exited=exited, left=left)


def _with_left(walks: Walks, left: dict[str, int]) -> Walks:
    return Walks(
        entered=walks.entered,
        active=walks.active,
        finished=walks.finished,
        exited=walks.exited,
        left=walks.left,
        left_by=left,
    )


def _sends(row: list[Any]) -> Sends:
    asked, sent, opened, clicked, withheld, last_sent = row
    return Sends(asked=asked, sent=sent, opened=opened, clicked=clicked, withheld=withheld, last_sent=last_sent)


_WALKS = """
select journey, count(*), count(*) filter (state = 'active'), count(*) filter (state = 'finished'),
       count(*) filter (state = 'left' and reason = 'exit'),
       count(*) filter (state = 'left' and reason is distinct from 'exit')
from enrolments join profiles using (profile_id)
where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by journey
"""
_LEFT = """
select journey, coalesce(reason, 'unknown'), count(*)
from enrolments join profiles using (profile_id)
where state = 'left' and reason is distinct from 'exit'
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by all order by all
"""
_SENDS = """
select journey, count(*), count(sent_at), count(opened_at), count(clicked_at), count(*) filter (state = 'withheld'),
       max(sent_at)
from deliveries join profiles using (profile_id)
where created_at >= $start and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by journey
"""
_VERSIONS = """
with walked as (
  select journey, version, count(*) as active
  from enrolments join profiles using (profile_id)
  where state = 'active' and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
  group by all
)
select v.journey, v.version, v.since, coalesce(w.active, 0),
       v.version = max(v.version) over (partition by v.journey) as newest
from journey_versions v left join walked w on w.journey = v.journey and w.version = v.version
qualify newest or w.active > 0
order by v.journey, v.version desc
"""
_LAST_SAID = "select journey, arg_max(body, version) from journey_versions group by journey order by journey"
_SAID = """
select body, version = (select max(version) from journey_versions where journey = $journey)
from journey_versions where journey = $journey and version = $version
"""
